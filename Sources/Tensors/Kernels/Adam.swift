// The optimizer's kernels. Each makes one pass over a contiguous range of floats.

/// The hyperparameters of Adam with decoupled weight decay (Loshchilov and Hutter 2019).
///
/// As in ELECTRA's `AdamWeightDecayOptimizer`, there is no bias correction, and epsilon is added to
/// the square root.
package struct AdamHyperparameters: Sendable, Equatable {
  /// The decay rate of the first moment.
  package var beta1: Float
  /// The decay rate of the second moment.
  package var beta2: Float
  /// Added to the square root of the second moment.
  package var epsilon: Float
  /// A step subtracts learningRate * weightDecay * w.
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

/// Pointers to a range of weights and to the arrays that their update reads and writes.
///
/// It does not own the memory. The four arrays must not overlap.
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

  /// The state of the range that begins `offset` floats later.
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
///
/// Weights and moments are updated in place; the gradient is only read. NaN or infinite gradients
/// make the weights NaN, so callers check the gradient norm first.
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

/// The sum of squares of `count` floats in Double; NaN or infinite if any of them is.
///
/// Two vector accumulators take turns, so that additions overlap; they are added in a fixed order.
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
