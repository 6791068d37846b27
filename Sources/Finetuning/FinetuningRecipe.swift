import Electra
import Layers
import Tensors

/// The hyperparameters of fine-tuning (ELECTRA, appendix B and table 7).
///
/// Adam with layer-wise learning-rate decay; the learning rate rises linearly during warm-up, then
/// falls linearly to zero.
package struct FinetuningRecipe: Sendable, Equatable, Codable {
  /// The largest sequence length in tokens, including special tokens.
  package var length: Int
  /// Sequences per step over all ranks.
  package var batchSize = 32
  /// Passes over the training data; may be a fraction.
  package var epochs: Double
  /// The peak learning rate of the head.
  package var learningRate: Double
  /// The ratio of a layer's learning rate to the one of the layer above it.
  package var layerDecay: Double
  /// The fraction of the steps in which the learning rate rises.
  package var warmupFraction = 0.1
  package var weightDecay: Float = 0
  /// The dropout probability in encoder and head.
  package var dropoutRate: Float = 0.1
  /// The largest global norm of the gradient; a larger gradient is scaled down to it.
  package var clipNorm = 1.0
  /// The number of equal parts of a batch whose gradients are reduced in a fixed order; 0 until the
  /// first start of a run chooses it.
  package var slices = 0
  /// The largest number of tokens in a forward pass; a longer sequence is passed alone.
  package var microBatchTokens = 1024
  package var seed: UInt64 = 1
  /// The arithmetic of matrix products; it need not be that of pre-training.
  package var arithmetic = Arithmetic.float32
  /// The words of `--class-weights`, see `ClassWeights`; nil if all classes weigh 1.
  package var classWeights: [String]?

  private enum CodingKeys: String, CodingKey {
    case length = "max_seq_length"
    case batchSize = "train_batch_size"
    case epochs = "num_train_epochs"
    case learningRate = "learning_rate"
    case layerDecay = "layerwise_lr_decay"
    case warmupFraction = "warmup_proportion"
    case weightDecay = "weight_decay_rate"
    case dropoutRate = "dropout"
    case clipNorm = "clip_norm"
    case slices
    case microBatchTokens = "micro_batch_tokens"
    case seed
    case arithmetic
    case classWeights = "class_weights"
  }

  /// The paper's recipe for a task and an encoder.
  ///
  /// The hidden size selects the learning rate and decay of ELECTRA-Small, -Base or -Large.
  package init(_ task: Task, _ sizes: NetworkSizes) {
    let width = sizes.encoder.hiddenSize
    length = min(task.maximumLength, sizes.positionCount)
    epochs = task.epochs
    learningRate = width < 512 ? 3e-4 : width < 1024 ? 1e-4 : 5e-5
    layerDecay = width < 1024 ? 0.8 : 0.9
  }

  /// The number of steps for a training set of `examples` examples; at least 1.
  package func steps(examples: Int) -> Int {
    max(1, Int(Double(examples) * epochs / Double(batchSize)))
  }

  /// The numbers of steps after which each pass over `examples` examples ends, in rising order.
  ///
  /// A batch may contain examples of two passes, so a pass ends at the nearest step. The last entry
  /// is the last step, even if its pass is incomplete. Passes that end at the same step give one
  /// entry.
  package func epochEnds(examples: Int) -> [Int] {
    let last = steps(examples: examples)
    let whole = (1...max(1, Int(epochs))).map {
      Int((Double($0 * examples) / Double(batchSize)).rounded())
    }
    return Set(whole.filter { $0 > 0 && $0 < last } + [last]).sorted()
  }

  private static let maximumBatchSize = 1 << 20
  private static let maximumEpochs = 1e5

  /// The first invalid value, as a sentence with its valid range; nil if all values are valid.
  ///
  /// - Parameter positions: the encoder's number of position embeddings.
  /// - Returns: a sentence without a period, or nil.
  package func problem(positions: Int) -> String? {
    if length > positions {
      return "a length of \(length) is above the encoder's \(positions) positions"
    }
    for (name, value) in [
      ("length", length), ("batch", batchSize), ("slices", slices),
      ("micro-batch", microBatchTokens),
    ] where value < 1 {
      return "\(name) is \(value); it must be at least 1"
    }
    if slices & (slices - 1) != 0 { return "\(slices) slices are not a power of two" }
    if batchSize % slices != 0 {
      return "a batch of \(batchSize) cannot be cut into \(slices) equal slices"
    }
    if batchSize > Self.maximumBatchSize {
      return "a batch of \(batchSize) is above \(Self.maximumBatchSize)"
    }
    if !(epochs > 0 && epochs <= Self.maximumEpochs) {
      return "epochs are \(epochs); they must be above 0 and at most \(Int(Self.maximumEpochs))"
    }
    if !(learningRate > 0 && learningRate.isFinite) {
      return "learning rate is \(learningRate); it must be above 0"
    }
    if !(layerDecay > 0 && layerDecay <= 1) {
      return "a layer decay of \(layerDecay) is not above 0 and at most 1"
    }
    if !(warmupFraction >= 0 && warmupFraction < 1) {
      return "a warm-up of \(warmupFraction) of the steps is not between 0 and 1"
    }
    if !(dropoutRate >= 0 && dropoutRate < 1) {
      return "a dropout of \(dropoutRate) is not between 0 and 1"
    }
    return nil
  }
}
