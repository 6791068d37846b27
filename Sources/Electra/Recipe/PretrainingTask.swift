/// What a run trains for, and how: the systems that the paper compares (ELECTRA, sections 3.2 and 3.4),
/// as they stand in the recipe of `config.json`.
///
///     var task = PretrainingTask()            // ELECTRA as the paper trains it
///     task.goal = .mlm                        // BERT, for a comparison at equal compute
///     let model = ElectraModel(sizes, task)   // no generator: nothing samples
///
/// A model declares only the parameters that its task uses.
package struct PretrainingTask: Sendable, Equatable {
  package var objective = Objective.electra
  package var generator = Generator.transformer
  package var sharing = Sharing.embeddings
  package var scheme = Scheme.joint
  /// What the generator's logits are divided by when it samples (appendix).
  package var temperature: Float = 1
  /// Whether a sample is never the right token, so that every drawn position is replaced (the
  /// reference's `disallow_correct`).
  package var disallowsCorrect = false
  /// The reference's quirk: positions are drawn with replacement, so that fewer than wanted are
  /// distinct; one that is drawn twice counts twice, and gets the mean of its samples' ids.
  package var drawsWithReplacement = false

  package init() {}

  /// Whether it is what the published curves are of: joint training with a generator that learns.
  package var isJointElectra: Bool { objective == .electra && hasGenerator && scheme == .joint }

  /// What the large encoder learns, as `--objective` names it.
  package enum Objective: String, Sendable, Codable, CaseIterable {
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

  /// What makes the samples, as `--generator` names it.
  package enum Generator: String, Sendable, Codable, CaseIterable {
    /// A small masked language model (section 2).
    case transformer
    /// The frequencies of tokens in the training data (section 3.2, figure 3).
    case unigram
    /// The whole vocabulary alike (the reference's `uniform_generator`).
    case uniform
  }

  /// What generator and discriminator have in common, as `--weight-sharing` names it (section 3.2).
  package enum Sharing: String, Sendable, Codable, CaseIterable {
    /// Nothing: each has embeddings of its own.
    case none
    /// All embeddings.
    case embeddings
    /// Everything but the heads: one encoder, as large as the discriminator.
    case all
  }

  /// How generator and discriminator are trained, as `--training` names it (section 3.2, figure 3).
  package enum Scheme: String, Sendable, Codable, CaseIterable {
    /// Both at once.
    case joint
    /// The generator in the first half of the steps; then the discriminator, which begins with the
    /// generator's weights, while the generator stays as it is.
    case twoStage = "two-stage"
    /// The same, but the discriminator begins with new weights.
    case twoStageFresh = "two-stage-fresh"
    /// Both at once, the generator by policy gradient against the discriminator (appendix F).
    case adversarial

    package var hasStages: Bool { self == .twoStage || self == .twoStageFresh }
  }

  /// Whether a network makes the samples.
  package var hasGenerator: Bool { objective.readsSamples && generator == .transformer }
}

extension PretrainingTask: Codable {
  // Keys of the recipe, beside its others; the reference's where it has them.
  private enum CodingKeys: String, CodingKey {
    case objective = "objective"
    case generator = "generator_kind"
    case sharing = "weight_sharing"
    case scheme = "training"
    case temperature
    case disallowsCorrect = "disallow_correct"
    case drawsWithReplacement = "mask_with_replacement"
  }

  /// What a configuration does not speak of is as in the paper: runs that are older than a key go on.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ otherwise: Value) throws -> Value {
      try values.decodeIfPresent(Value.self, forKey: key) ?? otherwise
    }
    objective = try read(.objective, objective)
    generator = try read(.generator, generator)
    sharing = try read(.sharing, sharing)
    scheme = try read(.scheme, scheme)
    temperature = try read(.temperature, temperature)
    disallowsCorrect = try read(.disallowsCorrect, disallowsCorrect)
    drawsWithReplacement = try read(.drawsWithReplacement, drawsWithReplacement)
  }
}
