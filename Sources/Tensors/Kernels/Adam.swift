// One pass over a run of floats for each thing that the optimizer does.

/// The hyperparameters of Adam as the reference uses it: no bias correction, epsilon outside the root,
/// weight decay beside the update (ELECTRA's `AdamWeightDecayOptimizer`).
package struct AdamHyperparameters: Sendable, Equatable {
  package var beta1: Float
  package var beta2: Float
  package var epsilon: Float
  /// The share of a weight that decays at a learning rate of one.
  package var weightDecay: Float

  package init(
    beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-6, weightDecay: Float
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

/// Where a run of floats and everything that an update of them reads and writes begin in memory.
///
/// It owns nothing: whoever made the memory keeps it alive.
package struct AdamState {
  package var weights: UnsafeMutablePointer<Float>
  package var gradient: UnsafeMutablePointer<Float>
  package var firstMoment: UnsafeMutablePointer<Float>
  package var secondMoment: UnsafeMutablePointer<Float>

  package init(
    weights: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>
  ) {
    self.weights = weights
    self.gradient = gradient
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
  }

  /// The same for the run that begins `offset` floats later.
  package func advanced(by offset: Int) -> AdamState {
    AdamState(
      weights: weights + offset, gradient: gradient + offset, firstMoment: firstMoment + offset,
      secondMoment: secondMoment + offset)
  }
}

/// One step of Adam on `count` floats, with g = gradient * gradientScale.
///
///     m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///     w = w - learningRate * (m / (sqrt(v) + epsilon) + weightDecay * w)
package func adamStep(
  _ state: AdamState, count: Int, gradientScale: Float, learningRate: Float,
  _ hyperparameters: AdamHyperparameters
) {
  let start = Profile.begin()
  defer { Profile.end(.optimizer, start) }
  let (weights, gradient) = (state.weights, state.gradient)
  let (firstMoment, secondMoment) = (state.firstMoment, state.secondMoment)
  let (beta1, beta2) = (hyperparameters.beta1, hyperparameters.beta2)
  let (epsilon, weightDecay) = (hyperparameters.epsilon, hyperparameters.weightDecay)
  forEachVector(count) { i, tail in
    let g = gradient.load(at: i, tail: tail) * gradientScale
    let m = firstMoment.load(at: i, tail: tail).times(
      Vector(repeating: beta1), plus: g * (1 - beta1))
    let v = secondMoment.load(at: i, tail: tail).times(
      Vector(repeating: beta2), plus: g * g * (1 - beta2))
    let w = weights.load(at: i, tail: tail)
    let update = (m / (v.squareRoot() + epsilon)).addingProduct(
      w, Vector(repeating: weightDecay))
    firstMoment.store(m, at: i, tail: tail)
    secondMoment.store(v, at: i, tail: tail)
    weights.store(w - update * learningRate, at: i, tail: tail)
  }
}

/// The sum of squares of `count` floats in Double; NaN or infinite when any of them is.
///
/// Vectors of eight go to two running sums in turn, which are added in a fixed order at the end.
package func sumOfSquares(_ values: UnsafeMutablePointer<Float>, count: Int) -> Double {
  let start = Profile.begin()
  defer { Profile.end(.optimizer, start) }
  var totals = (SIMD8<Double>(repeating: 0), SIMD8<Double>(repeating: 0))
  forEachVector(count) { i, tail in
    let wide = SIMD8<Double>(values.load(at: i, tail: tail))
    if i & 8 == 0 {
      totals.0.addProduct(wide, wide)
    } else {
      totals.1.addProduct(wide, wide)
    }
  }
  let all = totals.0 + totals.1
  let half = all.lowHalf + all.highHalf
  let quarter = half.lowHalf + half.highHalf
  return quarter[0] + quarter[1]
}
