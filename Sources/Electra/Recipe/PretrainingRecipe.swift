import Layers

extension PretrainingConfiguration {
  /// How the model is trained (ELECTRA, appendix A).
  ///
  /// Fields are accessible as members of the recipe: `recipe.length`. They are a separate type so
  /// that `Codable` is synthesised, while `config.json` holds their keys beside those of the task.
  @dynamicMemberLookup
  package struct Recipe: Sendable, Equatable {
    /// The objective and how it is trained.
    package var task = PretrainingTask()
    /// All other settings.
    package var fields: Fields

    package subscript<Value>(dynamicMember field: WritableKeyPath<Fields, Value>) -> Value {
      get { fields[keyPath: field] }
      set { fields[keyPath: field] = newValue }
    }

    /// Changes the objective: another one has its usual weight, its usual generator where that of
    /// mlm-rtd differs, and none of the settings that only the former one uses.
    package mutating func change(to objective: PretrainingTask.Objective) {
      guard objective != task.objective else { return }
      let wasBoth = task.objective.masksAndReplaces
      task.objective = objective
      fields.discriminatorWeight = objective.defaultWeight
      // A transformer that predicts few positions costs more than it is known to give. No option or
      // key of a phase ends drawing with replacement, which disjoint positions exclude.
      if objective.masksAndReplaces {
        (task.generator, task.drawsWithReplacement) = (.unigram, false)
      }
      if wasBoth { (task.generator, fields.replacedFraction) = (.transformer, nil) }
      if !objective.readsSamples { (task.generator, task.disallowsCorrect) = (.transformer, false) }
      if !objective.hasDetectionLoss { fields.discriminatorRamp = nil }
      // The policy gradient needs a discriminator. A phase has no key for the scheme.
      if objective.predicts && task.scheme == .adversarial { task.scheme = .joint }
      if !task.hasGenerator {
        task.temperature = 1
        // A phase or branch refuses to end disentangled embeddings, with the reason.
        if task.sharing != .disentangled { task.sharing = .embeddings }
      }
    }

    /// The largest fraction of a shortened schedule that is warm-up.
    private static let largestWarmup = 0.1

    /// Shortens the schedule to `steps`.
    ///
    /// The warm-up is limited to a tenth of the new schedule, or to its fraction of the old
    /// schedule if that is larger. It is never extended.
    package mutating func shorten(to steps: Int) {
      let share = max(Self.largestWarmup, Double(fields.warmupSteps) / Double(max(1, fields.steps)))
      fields.steps = steps
      fields.warmupSteps = min(fields.warmupSteps, Int(share * Double(steps)))
    }
  }
}

extension PretrainingConfiguration.Recipe {
  /// Lengths, counts, rates and weights.
  package struct Fields: Sendable, Equatable, Codable {
    /// The longest sequence, in tokens.
    package var length: Int
    /// Sequences per step, over all ranks.
    package var batchSize: Int
    /// The number of steps of the schedule.
    package var steps: Int
    /// The number of steps with a rising learning rate.
    package var warmupSteps: Int
    /// The peak learning rate.
    package var learningRate: Double
    /// The fraction of tokens that is masked.
    package var maskFraction: Double
    /// The fraction of tokens that get samples in the objective mlm-rtd; nil for 0.08.
    package var replacedFraction: Double?
    /// Whether the tokens of a word are masked together (whole-word masking).
    package var masksWholeWords: Bool
    /// The weight of the discriminator's loss relative to the generator's, lambda in the paper.
    package var discriminatorWeight: Float
    /// Where in the schedule that weight rises from 0, as two fractions of the steps of the phase;
    /// nil for a constant weight.
    package var discriminatorRamp: [Double]?
    /// The decoupled weight decay, of parameters that decay (`Parameter.decays`).
    package var weightDecay: Float
    /// The optimizer; nil for Adam.
    package var optimizer: Optimizer?
    /// The learning rate of Muon divided by Adam's; nil for 2.
    package var muonRate: Double?
    /// The decay rates of Adam's first and second moments (Kingma and Ba 2015).
    package var beta1: Float
    package var beta2: Float
    /// The constant in Adam's denominator.
    package var epsilon: Float
    /// The largest global norm of the gradient, above which it is scaled down.
    package var clipNorm: Double
    /// The number of parts that a batch is split into for the reduction; a power of two.
    ///
    /// It is 0 before the first start, which fixes it for the whole run: it affects rounding.
    package var slices: Int
    /// The largest number of tokens in a micro-batch.
    package var microBatchTokens: Int
    /// The seed of all random numbers of the run.
    package var seed: UInt64

    // The reference's keys where it has them.
    private enum CodingKeys: String, CodingKey {
      case length = "max_seq_length"
      case batchSize = "train_batch_size"
      case steps = "num_train_steps"
      case warmupSteps = "num_warmup_steps"
      case learningRate = "learning_rate"
      case maskFraction = "mask_prob"
      case replacedFraction = "replace_prob"
      case masksWholeWords = "mask_whole_words"
      case discriminatorWeight = "disc_weight"
      case discriminatorRamp = "disc_weight_ramp"
      case weightDecay = "weight_decay_rate"
      case optimizer
      case muonRate = "muon_rate"
      case beta1 = "adam_beta1"
      case beta2 = "adam_beta2"
      case epsilon = "adam_epsilon"
      case clipNorm = "clip_norm"
      case slices
      case microBatchTokens = "micro_batch_tokens"
      case seed
    }
  }
}

extension PretrainingConfiguration.Recipe: Codable {
  /// Keys of removed settings.
  ///
  /// A run that has one would go on in another way than it began.
  private enum RemovedKeys: String, CodingKey {
    case generatorRate = "generator_rate"
    case clipsNetworks = "clip_networks"
    case temperatureStart = "temperature_start"
    case temperatureDecay = "temperature_decay"
  }

  package init(from decoder: any Decoder) throws {
    let removed = try decoder.container(keyedBy: RemovedKeys.self)
    if let key = removed.allKeys.min(by: { $0.rawValue < $1.rawValue }) {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: removed,
        debugDescription: "this setting was removed; commit 29ae92e of the program reads it")
    }
    task = try PretrainingTask(from: decoder)
    fields = try Fields(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    try task.encode(to: encoder)
    try fields.encode(to: encoder)
  }
}
