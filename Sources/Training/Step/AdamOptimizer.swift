import Layers
import Tensors

/// Adam on ranges of the flat vector, as in ELECTRA's `optimization.py`.
///
/// There is no bias correction. Weight decay is decoupled and skips biases and normalisations.
/// The caller passes the factor of clipping as `gradientScale`.
///
/// It holds no mutable state: all workers of all ranks use one value to update disjoint ranges.
package struct AdamOptimizer: Sendable {
  package let hyperparameters: AdamHyperparameters
  private let layout: ParameterLayout
  /// The factor of each parameter's learning rate, which scales its weight decay too.
  private let learningRateFactors: [Float]

  /// - Parameters:
  ///   - hyperparameters: for all parameters; weight decay applies only where `Parameter.decays`.
  ///   - layout: the parameters of the flat vector.
  ///   - learningRateFactors: the factor of the learning rate, one per parameter.
  package init(
    _ hyperparameters: AdamHyperparameters, layout: ParameterLayout, learningRateFactors: [Float]
  ) {
    precondition(
      learningRateFactors.count == layout.parameters.count,
      "a learning rate factor for each parameter")
    self.hyperparameters = hyperparameters
    self.layout = layout
    self.learningRateFactors = learningRateFactors
  }

  /// Updates the floats of `range` of the flat vector.
  ///
  /// The range may begin and end inside parameters. Disjoint ranges may be updated at the same
  /// time. A gradient that is not finite makes weights and moments not finite; the caller checks
  /// the norm.
  ///
  /// - Parameters:
  ///   - range: the floats to update.
  ///   - state: the memory of these floats; each pointer points at the first float of `range`.
  ///   - gradientScale: the factor of gradient clipping.
  ///   - learningRate: the step's learning rate.
  ///   - frozen: ranges of whole parameters whose weights and moments are not updated.
  package func update(
    _ range: Range<Int>, _ state: AdamState, gradientScale: Float, learningRate: Float,
    frozen: [Range<Int>] = []
  ) {
    var index = firstParameter(endingAfter: range.lowerBound)
    while index < layout.parameters.count, layout.parameters[index].offset < range.upperBound {
      let (parameter, factor) = (layout.parameters[index], learningRateFactors[index])
      index += 1
      if frozen.contains(where: { $0.contains(parameter.offset) }) { continue }
      let part = parameter.range.clamped(to: range)
      var hyperparameters = hyperparameters
      if !parameter.decays { hyperparameters.weightDecay = 0 }
      adamStep(
        state.advanced(by: part.lowerBound - range.lowerBound), count: part.count,
        gradientScale: gradientScale, learningRate: learningRate * factor, hyperparameters)
    }
  }

  /// The index of the first parameter that ends after `position`.
  private func firstParameter(endingAfter position: Int) -> Int {
    firstPosition(in: layout.parameters.count) {
      layout.parameters[$0].range.upperBound > position
    }
  }
}
