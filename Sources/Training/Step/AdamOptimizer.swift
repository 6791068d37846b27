import Layers
import Tensors

/// Adam as the reference has it: no bias correction, decoupled weight decay on all but biases and
/// normalisations, after clipping by the global norm (ELECTRA's `optimization.py`).
package struct AdamOptimizer: Sendable {
  package let constants: AdamConstants
  /// The share of a weight that decays at a learning rate of one.
  package let weightDecay: Float
  private let layout: ParameterLayout
  /// The share of the learning rate that each parameter gets. It scales the decay too.
  private let rateFactors: [Float]

  package init(
    constants: AdamConstants, weightDecay: Float, layout: ParameterLayout, rateFactors: [Float]
  ) {
    precondition(rateFactors.count == layout.parameters.count, "a rate factor for each parameter")
    self.constants = constants
    self.weightDecay = weightDecay
    self.layout = layout
    self.rateFactors = rateFactors
  }

  /// Updates the floats of `range` of the flat vector. All pointers stand for the beginning of the
  /// vector but the moments, which begin at `range`: a rank holds only its own parts of them.
  ///
  /// - Parameters:
  ///   - gradientScale: what clipping multiplies the gradient by.
  ///   - frozen: ranges of whole parameters that stay as they are, moments and all.
  package func update(
    _ range: Range<Int>, weights: UnsafeMutablePointer<Float>,
    gradient: UnsafeMutablePointer<Float>, firstMoment: UnsafeMutablePointer<Float>,
    secondMoment: UnsafeMutablePointer<Float>, gradientScale: Float, rate: Float,
    frozen: [Range<Int>] = []
  ) {
    var index = firstParameter(endingAfter: range.lowerBound)
    while index < layout.parameters.count, layout.parameters[index].offset < range.upperBound {
      let (parameter, factor) = (layout.parameters[index], rateFactors[index])
      index += 1
      if frozen.contains(where: { $0.contains(parameter.offset) }) { continue }
      let part = parameter.range.clamped(to: range)
      let moment = part.lowerBound - range.lowerBound
      adamStep(
        weights: weights + part.lowerBound, gradient: gradient + part.lowerBound,
        firstMoment: firstMoment + moment, secondMoment: secondMoment + moment, count: part.count,
        gradientScale: gradientScale, rate: rate * factor,
        weightDecay: parameter.decays ? weightDecay : 0, constants: constants)
    }
  }

  /// The first parameter that ends behind `position`.
  private func firstParameter(endingAfter position: Int) -> Int {
    firstPosition(in: layout.parameters.count) {
      layout.parameters[$0].range.upperBound > position
    }
  }
}
