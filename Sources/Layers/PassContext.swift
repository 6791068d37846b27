import Tensors

/// What every layer needs to process a micro-batch: weights, sequence ranges and random numbers.
///
/// The shape alphabet of all layers: N tokens of the micro-batch, B sequences, T the longest one,
/// K masked positions, D hidden, E embedding, F feed-forward, H heads, L layers, V vocabulary.
///
/// The gradient contract of all layers: parameter gradients are added to; activation gradients are
/// written; only the residual stream's gradient is added to.
///
/// A context is a value: a copy with other rows, dropout or progress shares weights and gradient.
package struct PassContext {
  /// The weights, and the arithmetic of products with them.
  package let weights: Weights
  /// The flat vector that parameter gradients are added to; nil in evaluation.
  package let gradient: Storage?
  /// The token range of each sequence. (B)
  package private(set) var ranges: [Range<Int>]
  /// The training step, part of the address of random numbers.
  package let step: Int
  /// The index of the first sequence in the global batch of the step.
  package let firstSequence: Int
  /// The run's seed; nil for a pass without dropout.
  package private(set) var seed: UInt64?
  /// Whether the backward pass recomputes activations inside encoder layers.
  private let recomputes: Bool
  /// Receives reports of weights read and gradients finished; nil for none.
  package private(set) var progress: ParameterProgress?

  /// A pass of `batch`; without a `seed` it has no dropout, without a `gradient` no backward pass.
  package init(
    batch: Batch, weights: Weights, gradient: Storage?, seed: UInt64?, recomputes: Bool = false,
    progress: ParameterProgress? = nil
  ) {
    self.weights = weights
    self.gradient = gradient
    self.recomputes = recomputes
    self.progress = progress
    ranges = batch.ranges
    step = batch.step
    firstSequence = batch.firstSequence
    self.seed = seed
  }

  /// A context for `count` rows that belong to no sequence, such as gathered masked positions.
  package func rows(_ count: Int) -> PassContext {
    var copy = self
    copy.ranges = [0..<count]
    return copy
  }

  /// The same context without progress reports.
  package var withoutProgress: PassContext {
    var copy = self
    copy.progress = nil
    return copy
  }

  /// The same context with independent dropout masks, for a second pass of the same network.
  package var withIndependentDropout: PassContext {
    var copy = self
    // Any other seed will do; this is the golden ratio as a 64-bit fraction.
    copy.seed = seed.map { $0 ^ 0x9E37_79B9_7F4A_7C15 }
    return copy
  }

  /// The sizes that determine how much memory the activations take.
  package var shape: BatchShape {
    var shape = BatchShape(ranges)
    shape.recomputes = recomputes
    shape.arithmetic = weights.arithmetic
    return shape
  }

  /// The dropout mask of the sequence at `index` of this micro-batch at `site`; nil for no dropout.
  package func dropout(_ site: DropoutSite, sequence index: Int) -> DropoutStream? {
    guard let seed, site.rate > 0 else { return nil }
    let random = RandomStream(
      seed: seed, site: site.number, step: step, sequence: firstSequence + index)
    return DropoutStream(random, rate: site.rate)
  }

  /// The gradient of `parameter`, to be added to; traps in evaluation.
  package func gradient(_ parameter: Parameter) -> Tensor {
    guard let gradient else { preconditionFailure("a backward pass without a gradient vector") }
    return gradient[parameter]
  }
}

/// A named position in the model where dropout is applied.
package struct DropoutSite: Sendable {
  /// A hash of the name, by which the random numbers of sites differ.
  package let number: UInt32
  /// The probability of dropping an element.
  package let rate: Float

  /// A site whose masks are a function of `name`, the seed, the step and the sequence.
  package init(_ name: String, rate: Float) {
    number = RandomStream.site("dropout:" + name)
    self.rate = rate
  }
}
