// One pass over a run of floats for each thing that the optimizer does.

/// The constants of Adam as the reference uses it: no bias correction, epsilon outside the root,
/// weight decay beside the update (ELECTRA's `AdamWeightDecayOptimizer`).
package struct AdamConstants: Sendable, Equatable {
  package var firstDecay: Float
  package var secondDecay: Float
  package var epsilon: Float

  package init(firstDecay: Float = 0.9, secondDecay: Float = 0.999, epsilon: Float = 1e-6) {
    self.firstDecay = firstDecay
    self.secondDecay = secondDecay
    self.epsilon = epsilon
  }
}

/// One step of Adam on `count` floats, with g = gradient * gradientScale:
///
///     m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
///     w = w - rate * (m / (sqrt(v) + epsilon) + weightDecay * w)
package func adamStep(
  weights: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
  firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, count: Int,
  gradientScale: Float, rate: Float, weightDecay: Float, constants: AdamConstants
) {
  let start = Profile.begin()
  defer { Profile.end(.optimizer, start) }
  let (b1, b2) = (constants.firstDecay, constants.secondDecay)
  forEachVector(count) { i, tail in
    let g = gradient.load(at: i, tail: tail) * gradientScale
    let m = firstMoment.load(at: i, tail: tail).times(
      Vector(repeating: b1), plus: g * (1 - b1))
    let v = secondMoment.load(at: i, tail: tail).times(
      Vector(repeating: b2), plus: g * g * (1 - b2))
    let w = weights.load(at: i, tail: tail)
    let update = (m / (v.squareRoot() + constants.epsilon)).addingProduct(
      w, Vector(repeating: weightDecay))
    firstMoment.store(m, at: i, tail: tail)
    secondMoment.store(v, at: i, tail: tail)
    weights.store(w - update * rate, at: i, tail: tail)
  }
}

/// The sum of squares of `count` floats in Double: four running sums of four, added in order. Not a
/// number or infinite when any of them is.
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
