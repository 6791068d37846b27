/// What a run trains for: one of the systems that the paper compares (ELECTRA, sections 3.2 and 3.4),
/// as it stands in the recipe of `config.json`.
///
///     var task = PretrainingTask()            // ELECTRA as the paper trains it
///     task.goal = .mlm                        // BERT, for a comparison at equal compute
///     let model = ElectraModel(sizes, task)   // no generator: nothing samples
///
/// A model declares only the parameters that its task uses.
package struct PretrainingTask: Sendable, Equatable {
  package var goal = Goal.electra

  package init() {}

  /// What the large encoder learns, as `--objective` names it.
  package enum Goal: String, Sendable, Codable, CaseIterable {
    /// To tell which tokens a generator has replaced, over all tokens (section 2).
    case electra
    /// The same, but the loss is that of the drawn positions only ("ELECTRA 15%", section 3.4).
    case electra15 = "electra-15"
    /// To name the tokens at drawn positions, where it reads the generator's samples instead of [MASK]
    /// (section 3.4).
    case replaceMLM = "replace-mlm"
    /// To name every token, or copy it from the input, with a generator's samples at drawn positions
    /// (section 3.4).
    case allTokensMLM = "all-tokens-mlm"
    /// BERT's masked language modelling, with 80 % [MASK], 10 % random tokens and 10 % unchanged
    /// among the drawn positions (section 3.1; Devlin et al. 2019, section 3.1). No generator.
    case mlm

    /// Whether the large encoder reads a generator's samples; else it reads [MASK].
    package var readsSamples: Bool { self != .mlm }
    /// Whether the large encoder has a head that tells replaced tokens.
    package var detects: Bool { [.electra, .electra15, .allTokensMLM].contains(self) }
    /// Whether the large encoder has a head that names the token that stood there.
    package var predicts: Bool { [.replaceMLM, .allTokensMLM, .mlm].contains(self) }
    /// Whether the large encoder's loss is a mean over all tokens; else over the drawn positions.
    package var judgesAllTokens: Bool { [.electra, .allTokensMLM].contains(self) }

    /// The weight of the large encoder's loss: the paper's 50 for a binary decision a token, 1 for
    /// what is of the same kind as the generator's loss.
    package var defaultWeight: Float { predicts ? 1 : 50 }
  }

  /// Whether a transformer of its own makes the samples.
  package var hasGenerator: Bool { goal.readsSamples }
}

extension PretrainingTask: Codable {
  // Keys of the recipe, beside its others.
  private enum Key: String, CodingKey {
    case goal = "objective"
  }

  /// What a configuration does not speak of is as in the paper: runs that are older than a key go on.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    goal = try values.decodeIfPresent(Goal.self, forKey: .goal) ?? .electra
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(goal, forKey: .goal)
  }
}
