import Layers

extension PretrainingConfiguration {
  /// How the model is trained (ELECTRA, appendix A).
  package struct Recipe: Sendable, Equatable {
    /// What the model is trained for.
    package var task = PretrainingTask()
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
    package var firstDecay: Float
    package var secondDecay: Float
    package var epsilon: Float
    /// The global norm that gradients are clipped to.
    package var clipNorm: Double
    /// Parts that a batch is cut into for the reduction; a power of two. Zero before the first
    /// start, which fixes it for the run's life.
    package var slices: Int
    /// Tokens that go through the model at once.
    package var microBatchTokens: Int
    package var seed: UInt64

    /// The largest share of a short schedule in which the rate rises, unless it is more of the whole one.
    private static let largestWarmup = 0.1

    /// Takes fewer steps. The warm-up, which would otherwise be most of them, becomes shorter where it
    /// is above a tenth of the steps, but no smaller a share than it was.
    package mutating func shorten(to steps: Int) {
      let share = max(Self.largestWarmup, Double(warmupSteps) / Double(max(1, self.steps)))
      self.steps = steps
      warmupSteps = min(warmupSteps, Int(share * Double(steps)))
    }
  }
}

extension PretrainingConfiguration.Recipe: Codable {
  // Keys of the reference where it has them; the task's stand beside them.
  private enum Key: String, CodingKey {
    case length = "max_seq_length"
    case batchSize = "train_batch_size"
    case steps = "num_train_steps"
    case warmupSteps = "num_warmup_steps"
    case learningRate = "learning_rate"
    case maskFraction = "mask_prob"
    case masksWholeWords = "mask_whole_words"
    case discriminatorWeight = "disc_weight"
    case weightDecay = "weight_decay_rate"
    case firstDecay = "adam_beta1"
    case secondDecay = "adam_beta2"
    case epsilon = "adam_epsilon"
    case clipNorm = "clip_norm"
    case slices
    case microBatchTokens = "micro_batch_tokens"
    case seed
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    task = try PretrainingTask(from: decoder)
    length = try values.decode(Int.self, forKey: .length)
    batchSize = try values.decode(Int.self, forKey: .batchSize)
    steps = try values.decode(Int.self, forKey: .steps)
    warmupSteps = try values.decode(Int.self, forKey: .warmupSteps)
    learningRate = try values.decode(Double.self, forKey: .learningRate)
    maskFraction = try values.decode(Double.self, forKey: .maskFraction)
    masksWholeWords = try values.decode(Bool.self, forKey: .masksWholeWords)
    discriminatorWeight = try values.decode(Float.self, forKey: .discriminatorWeight)
    weightDecay = try values.decode(Float.self, forKey: .weightDecay)
    firstDecay = try values.decode(Float.self, forKey: .firstDecay)
    secondDecay = try values.decode(Float.self, forKey: .secondDecay)
    epsilon = try values.decode(Float.self, forKey: .epsilon)
    clipNorm = try values.decode(Double.self, forKey: .clipNorm)
    slices = try values.decode(Int.self, forKey: .slices)
    microBatchTokens = try values.decode(Int.self, forKey: .microBatchTokens)
    seed = try values.decode(UInt64.self, forKey: .seed)
  }

  package func encode(to encoder: any Encoder) throws {
    try task.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(length, forKey: .length)
    try values.encode(batchSize, forKey: .batchSize)
    try values.encode(steps, forKey: .steps)
    try values.encode(warmupSteps, forKey: .warmupSteps)
    try values.encode(learningRate, forKey: .learningRate)
    try values.encode(maskFraction, forKey: .maskFraction)
    try values.encode(masksWholeWords, forKey: .masksWholeWords)
    try values.encode(discriminatorWeight, forKey: .discriminatorWeight)
    try values.encode(weightDecay, forKey: .weightDecay)
    try values.encode(firstDecay, forKey: .firstDecay)
    try values.encode(secondDecay, forKey: .secondDecay)
    try values.encode(epsilon, forKey: .epsilon)
    try values.encode(clipNorm, forKey: .clipNorm)
    try values.encode(slices, forKey: .slices)
    try values.encode(microBatchTokens, forKey: .microBatchTokens)
    try values.encode(seed, forKey: .seed)
  }
}
