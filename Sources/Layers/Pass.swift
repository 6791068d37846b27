import Tensors

/// What every layer needs of a micro-batch on its way through the model: the weights, where its
/// sequences lie, and where its random numbers come from.
///
/// The shape alphabet of all layers: N tokens of the micro-batch, B sequences, T the longest one,
/// K masked positions, D hidden, E embedding, F feed-forward, H heads, L layers, V vocabulary.
///
/// The gradient contract of all layers: parameter gradients are added to; activation gradients are
/// written; only the residual stream's gradient is added to.
package struct PassContext {
  package let weights: Storage
  /// Where parameter gradients are added; nil when only evaluating.
  package let gradient: Storage?
  /// The token range of each sequence. (B)
  package private(set) var ranges: [Range<Int>]
  package let step: Int
  package let firstSequence: Int
  /// The run's seed; nil for a pass without dropout.
  package private(set) var seed: UInt64?
  /// Whether its backward pass computes what is inside encoder layers anew.
  private let recomputes: Bool
  /// Told how the pass gets on; nil when nobody wants to know.
  package private(set) var progress: ParameterProgress?

  package init(
    batch: Batch, weights: Storage, gradient: Storage?, seed: UInt64?, recomputes: Bool = false,
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

  /// The same for `count` rows that belong to no sequence, such as gathered masked positions.
  package func rows(_ count: Int) -> PassContext {
    var copy = self
    copy.ranges = [0..<count]
    return copy
  }

  /// The same, but nobody is told how it gets on.
  package var quiet: PassContext {
    var copy = self
    copy.progress = nil
    return copy
  }

  /// The same with dropout of its own, for a second pass of the same network.
  package var withOtherDropout: PassContext {
    var copy = self
    copy.seed = seed.map { $0 ^ 0x9E37_79B9_7F4A_7C15 }
    return copy
  }

  /// The sizes that decide how much memory it takes.
  package var shape: BatchShape {
    var shape = BatchShape(ranges)
    shape.recomputes = recomputes
    return shape
  }

  /// The dropout of sequence `index` at `site`, nil for none.
  package func dropout(_ site: DropoutSite, sequence index: Int) -> DropoutStream? {
    guard let seed, site.rate > 0 else { return nil }
    let random = RandomStream(
      seed: seed, site: site.number, step: step, sequence: firstSequence + index)
    return DropoutStream(random, rate: site.rate)
  }

  /// The window of `parameter`'s gradient.
  package func gradient(_ parameter: Parameter) -> Tensor {
    guard let gradient else { preconditionFailure("a backward pass without a gradient vector") }
    return gradient[parameter]
  }
}

/// Told how passes get on with the flat vector, so that its traffic can hide behind them.
package struct ParameterProgress {
  /// The weights of a range are about to be read; returns when they may be.
  package let needs: (Range<Int>) -> Void
  /// The gradient of a range is final.
  package let finished: (Range<Int>) -> Void

  package init(
    needs: @escaping (Range<Int>) -> Void = { _ in },
    finished: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    self.needs = needs
    self.finished = finished
  }
}

/// A named place in the model where elements are dropped.
package struct DropoutSite: Sendable {
  package let number: UInt32
  package let rate: Float

  package init(_ name: String, rate: Float) {
    number = RandomStream.site("dropout:" + name)
    self.rate = rate
  }
}
