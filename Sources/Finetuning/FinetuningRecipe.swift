import Electra
import Layers

/// How a task is learnt (ELECTRA, appendix B and table 7): Adam with a learning rate that falls from
/// layer to layer, rises for a tenth of the steps and falls to zero.
package struct FinetuningRecipe: Sendable, Equatable, Codable {
  /// The longest sequence, special tokens counted.
  package var length: Int
  /// Sequences a step, over all ranks.
  package var batchSize = 32
  /// Passes over the training data; need not be whole.
  package var epochs: Double
  /// The peak learning rate of the head.
  package var learningRate: Double
  /// What a layer's learning rate is to that of the layer above it.
  package var layerDecay: Double
  /// The share of the steps in which the rate rises.
  package var warmupFraction = 0.1
  package var weightDecay: Float = 0
  /// Dropout of encoder and head.
  package var dropoutRate: Float = 0.1
  /// The global norm that gradients are clipped to.
  package var clipNorm = 1.0
  /// Parts of a batch for the reduction; zero before the first start.
  package var slices = 0
  /// Tokens that go through the model at once.
  package var microBatchTokens = 1024
  package var seed: UInt64 = 1

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
  }

  /// The paper's recipe for a task and an encoder: rates are those of small, base and large, by width.
  package init(_ task: Task, _ sizes: NetworkSizes) {
    let width = sizes.encoder.hiddenSize
    length = min(task.maximumLength, sizes.positionCount)
    epochs = task.epochs
    learningRate = width < 512 ? 3e-4 : width < 1024 ? 1e-4 : 5e-5
    layerDecay = width < 1024 ? 0.8 : 0.9
  }

  /// The steps that so many examples make.
  package func steps(examples: Int) -> Int {
    max(1, Int(Double(examples) * epochs / Double(batchSize)))
  }

  /// After how many steps each pass over so many examples ends, the last one whole or not. Batches go
  /// on over the end of a pass, so it is the nearest step.
  package func epochEnds(examples: Int) -> [Int] {
    let last = steps(examples: examples)
    let whole = (1...max(1, Int(epochs))).map {
      Int((Double($0 * examples) / Double(batchSize)).rounded())
    }
    return Set(whole.filter { $0 > 0 && $0 < last } + [last]).sorted()
  }

  private static let largestBatch = 1 << 20
  private static let mostEpochs = 1e5

  /// What is wrong with it, as a sentence; nil when nothing is.
  ///
  /// - Parameter positions: of the encoder.
  package func problem(positions: Int) -> String? {
    if length > positions {
      return "a length of \(length) is above the encoder's \(positions) positions"
    }
    for (name, value) in [("length", length), ("batch", batchSize), ("slices", slices)]
    where value < 1 {
      return "\(name) is \(value); it must be at least 1"
    }
    if slices & (slices - 1) != 0 { return "\(slices) slices are not a power of two" }
    if batchSize % slices != 0 {
      return "a batch of \(batchSize) cannot be cut into \(slices) equal slices"
    }
    if batchSize > Self.largestBatch {
      return "a batch of \(batchSize) is above \(Self.largestBatch)"
    }
    if !(epochs > 0 && epochs <= Self.mostEpochs) {
      return "epochs are \(epochs); they must be above 0 and at most \(Int(Self.mostEpochs))"
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
