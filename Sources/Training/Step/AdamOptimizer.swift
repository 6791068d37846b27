import Layers
import Tensors

/// Adam on ranges of the flat vector, as the reference has it: no bias correction, decoupled weight
/// decay on all but biases and normalisations, after clipping by the global norm (ELECTRA's
/// `optimization.py`).
///
/// It holds no state of its own: ranks, and workers of a rank, update disjoint ranges with one value.
package struct AdamOptimizer: Sendable {
  package let hyperparameters: AdamHyperparameters
  private let layout: ParameterLayout
  /// The share of the learning rate that each parameter gets, for its decay too.
  private let rateFactors: [Float]

  /// - Parameters:
  ///   - hyperparameters: those of all parameters; only those that decay have the weight decay.
  ///   - layout: the parameters of the flat vector.
  ///   - rateFactors: the share of the learning rate of each parameter.
  package init(
    _ hyperparameters: AdamHyperparameters, layout: ParameterLayout, rateFactors: [Float]
  ) {
    precondition(rateFactors.count == layout.parameters.count, "a rate factor for each parameter")
    self.hyperparameters = hyperparameters
    self.layout = layout
    self.rateFactors = rateFactors
  }

  /// Updates the floats of `range` of the flat vector, which may begin and end within parameters.
  ///
  /// - Parameters:
  ///   - range: the floats to update.
  ///   - state: the memory of these floats; all pointers stand for the beginning of `range`.
  ///   - gradientScale: what clipping multiplies the gradient by.
  ///   - learningRate: the step's learning rate.
  ///   - frozen: ranges of whole parameters that stay as they are, moments and all.
  package func update(
    _ range: Range<Int>, _ state: AdamState, gradientScale: Float, learningRate: Float,
    frozen: [Range<Int>] = []
  ) {
    var index = firstParameter(endingAfter: range.lowerBound)
    while index < layout.parameters.count, layout.parameters[index].offset < range.upperBound {
      let (parameter, factor) = (layout.parameters[index], rateFactors[index])
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

  /// The first parameter that ends behind `position`.
  private func firstParameter(endingAfter position: Int) -> Int {
    firstPosition(in: layout.parameters.count) {
      layout.parameters[$0].range.upperBound > position
    }
  }
}
