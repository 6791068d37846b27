import Layers

extension PretrainingConfiguration {
  /// How the model is trained (ELECTRA, appendix A).
  ///
  /// The fields are used as if they were the recipe's: `recipe.length`. They are a value of their own
  /// only because the task's keys stand beside theirs in `config.json`.
  @dynamicMemberLookup
  package struct Recipe: Sendable, Equatable {
    /// What the model is trained for.
    package var task = PretrainingTask()
    /// Everything else.
    package var fields: Fields

    package subscript<Value>(dynamicMember field: WritableKeyPath<Fields, Value>) -> Value {
      get { fields[keyPath: field] }
      set { fields[keyPath: field] = newValue }
    }

    /// The largest share of a short schedule in which the rate rises, unless it is more of the whole one.
    private static let largestWarmup = 0.1

    /// Takes fewer steps. The warm-up, which would otherwise be most of them, becomes shorter where it
    /// is above a tenth of the steps, but no smaller a share than it was.
    package mutating func shorten(to steps: Int) {
      let share = max(Self.largestWarmup, Double(fields.warmupSteps) / Double(max(1, fields.steps)))
      fields.steps = steps
      fields.warmupSteps = min(fields.warmupSteps, Int(share * Double(steps)))
    }
  }
}

extension PretrainingConfiguration.Recipe {
  /// Lengths, rates and weights.
  package struct Fields: Sendable, Equatable, Codable {
    /// The longest sequence.
    package var length: Int
    /// Sequences a step, over all ranks.
    package var batchSize: Int
    /// The steps of the schedule.
    package var steps: Int
    package var warmupSteps: Int
    /// The peak learning rate.
    package var learningRate: Double
    /// The share of tokens that is masked.
    package var maskFraction: Double
    /// Whether the tokens of a word are masked together.
    package var masksWholeWords: Bool
    /// The weight of the large encoder's loss: the discriminator's beside the generator's.
    package var discriminatorWeight: Float
    package var weightDecay: Float
    package var beta1: Float
    package var beta2: Float
    package var epsilon: Float
    /// The global norm that gradients are clipped to.
    package var clipNorm: Double
    /// Parts that a batch is cut into for the reduction; a power of two. Zero before the first
    /// start, which fixes it for the run's life.
    package var slices: Int
    /// Tokens that go through the model at once.
    package var microBatchTokens: Int
    package var seed: UInt64

    // Keys of the reference where it has them.
    private enum CodingKeys: String, CodingKey {
      case length = "max_seq_length"
      case batchSize = "train_batch_size"
      case steps = "num_train_steps"
      case warmupSteps = "num_warmup_steps"
      case learningRate = "learning_rate"
      case maskFraction = "mask_prob"
      case masksWholeWords = "mask_whole_words"
      case discriminatorWeight = "disc_weight"
      case weightDecay = "weight_decay_rate"
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
  package init(from decoder: any Decoder) throws {
    task = try PretrainingTask(from: decoder)
    fields = try Fields(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    try task.encode(to: encoder)
    try fields.encode(to: encoder)
  }
}
