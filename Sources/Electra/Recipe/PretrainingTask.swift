/// The objective of a run and how it is trained: the systems that the paper compares.
///
/// (ELECTRA, sections 3.2 and 3.4.) It is part of the recipe in `config.json`.
///
///     var task = PretrainingTask()            // ELECTRA as in the paper
///     task.objective = .mlm                   // BERT, for a comparison at equal compute
///     let model = ElectraModel(sizes, task)   // no generator, since no samples are needed
///
/// A model declares only the parameters that its task uses.
package struct PretrainingTask: Sendable, Equatable {
  /// The objective of the discriminator's encoder.
  package var objective = Objective.electra
  /// What generates the samples.
  package var generator = Generator.transformer
  /// The weights that generator and discriminator share.
  package var sharing = Sharing.embeddings
  /// How generator and discriminator are trained.
  package var scheme = Scheme.joint
  /// The temperature of the generator's samples: logits are divided by it (appendix).
  package var temperature: Float = 1
  /// Whether samples exclude the original token, so that every masked position is replaced.
  ///
  /// This is the reference's `disallow_correct`.
  package var disallowsCorrect = false
  /// Whether masked positions are drawn with replacement, as in the reference.
  ///
  /// A position that is drawn twice counts twice and gets the mean of the ids of its samples.
  package var drawsWithReplacement = false
  /// How the samples of a generator network are drawn from its softmax.
  package var sampling: Sampling

  /// ELECTRA as in the paper.
  package init(sampling: Sampling = .inverse) { self.sampling = sampling }

  /// Whether published curves apply: joint training of ELECTRA with a trained generator.
  package var isJointElectra: Bool { objective == .electra && hasGenerator && scheme == .joint }

  /// The objective of the discriminator's encoder; raw values are those of `--objective`.
  package enum Objective: String, Sendable, Codable, CaseIterable {
    /// Replaced token detection with a loss over all tokens (section 2).
    case electra
    /// Replaced token detection with a loss over masked positions only ("ELECTRA 15%", section
    /// 3.4).
    case electra15 = "electra-15"
    /// Masked language modelling where the input has samples of the generator instead of [MASK]
    /// (section 3.4).
    case replaceMLM = "replace-mlm"
    /// Prediction of every token with a copy gate, with samples at masked positions (section 3.4).
    case allTokensMLM = "all-tokens-mlm"
    /// BERT's masked language modelling, without a generator: of the masked positions 80 % show
    /// [MASK], 10 % a random token and 10 % the original (Devlin et al. 2019, section 3.1).
    case mlm
    /// Masked language modelling and replaced token detection in one pass of one encoder: some
    /// positions are masked and predicted, others are replaced by samples, and all that are not
    /// masked are judged. Not in the paper; compare SpacTor-T5 (Ye et al. 2024) and CodeBERT (Feng
    /// et al. 2020).
    case mlmRTD = "mlm-rtd"

    /// Whether the input has samples; otherwise only [MASK].
    package var readsSamples: Bool { self != .mlm }
    /// Whether masked positions are predicted and others get samples.
    package var masksAndReplaces: Bool { self == .mlmRTD }
    /// Whether the model has a head that detects replaced tokens.
    package var detects: Bool { [.electra, .electra15, .allTokensMLM, .mlmRTD].contains(self) }
    /// Whether the loss has a term of replaced token detection; that of all-tokens-mlm trains its
    /// copy gate otherwise.
    package var hasDetectionLoss: Bool { detects && self != .allTokensMLM }
    /// Whether the discriminator's encoder has a head that predicts original tokens.
    package var predicts: Bool { [.replaceMLM, .allTokensMLM, .mlm, .mlmRTD].contains(self) }
    /// Whether the loss is a mean over all tokens; otherwise over masked positions.
    var lossCoversAllTokens: Bool { [.electra, .allTokensMLM].contains(self) }

    /// The default weight of the loss: 50 for detection, as in the paper; 10 for detection beside
    /// the predictions of the same encoder; and 1 for predictions, whose loss is of the same kind
    /// as the generator's.
    package var defaultWeight: Float { masksAndReplaces ? 10 : predicts ? 1 : 50 }
  }

  /// The source of samples; raw values are those of `--generator`.
  package enum Generator: String, Sendable, Codable, CaseIterable {
    /// A small masked language model (section 2).
    case transformer
    /// Tokens by their frequency in the training data (section 3.2, figure 3).
    case unigram
    /// Uniformly random tokens (the reference's `uniform_generator`).
    case uniform
  }

  /// The weights that both networks share (section 3.2); raw values are those of
  /// `--weight-sharing`.
  package enum Sharing: String, Sendable, Codable, CaseIterable {
    /// None: each network has separate embeddings.
    case none
    /// All embeddings.
    case embeddings
    /// The discriminator's tables are the generator's plus a difference, and only the difference
    /// gets the discriminator's gradient (DeBERTaV3, He et al. 2021, section 3.3).
    case disentangled
    /// All but the heads: one encoder of the discriminator's size.
    case all
  }

  /// The training scheme (section 3.2, figure 3); raw values are those of `--training`.
  package enum Scheme: String, Sendable, Codable, CaseIterable {
    /// Both networks at once.
    case joint
    /// The generator in the first half of the steps; then the discriminator, initialised with the
    /// generator's weights, while the generator is frozen.
    case twoStage = "two-stage"
    /// Two stages, with a randomly initialised discriminator.
    case twoStageFresh = "two-stage-fresh"
    /// Both at once, with a generator trained by policy gradient to fool the discriminator
    /// (appendix F).
    case adversarial

    /// Whether training has two stages.
    package var hasStages: Bool { self == .twoStage || self == .twoStageFresh }
  }

  /// How a token is drawn from the softmax; raw values are those of `sampling` in `config.json`.
  ///
  /// The distribution is the same, the samples are not, so a run keeps its value.
  package enum Sampling: String, Sendable, Codable {
    /// The inverse of the distribution function, with one random number per sample.
    case inverse
    /// The Gumbel-max trick, with a random number per token of the vocabulary, as the reference.
    case gumbel
  }

  /// Whether the task trains a generator network.
  package var hasGenerator: Bool { objective.readsSamples && generator == .transformer }

  /// Whether the discriminator's embeddings are differences from the generator's.
  package var isDisentangled: Bool { hasGenerator && sharing == .disentangled }

  /// Whether the generator trains embeddings that the discriminator does not train.
  package var generatorHasEmbeddings: Bool { sharing == .none || isDisentangled }
}

extension PretrainingTask: Codable {
  // Keys of the recipe; the reference's where it has them.
  private enum CodingKeys: String, CodingKey {
    case objective
    case generator = "generator_kind"
    case sharing = "weight_sharing"
    case scheme = "training"
    case temperature
    case disallowsCorrect = "disallow_correct"
    case drawsWithReplacement = "mask_with_replacement"
    case sampling
  }

  /// Reads a task; missing keys have the reference's values, which are those of all runs that are
  /// older than the key.
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
    sampling = try read(.sampling, .gumbel)
  }
}
