// Muon's kernels on ranges of a matrix: the steps before and after its orthogonalisation
// (`NewtonSchulz`). Each makes one pass over a contiguous range of floats.

/// The hyperparameters of Muon for the hidden matrices of a model.
///
///     m = 0.95 m + 0.05 g;  u = 0.95 m + 0.05 g;  X = orthogonalised u
///     w = w - learningRate * (0.2 sqrt(max(rows, columns)) X + weightDecay * w)
///
/// (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".) With this scale
/// an update is about as large as Adam's, so that Adam's learning rate and weight decay suit both
/// (Liu et al. 2025, "Muon is scalable for LLM training", section 2.2).
package struct MuonHyperparameters: Sendable, Equatable {
  /// The learning rate of the matrices divided by that of the other parameters.
  package var learningRateFactor: Float
  /// As in `AdamHyperparameters`; every hidden matrix decays.
  package var weightDecay: Float

  /// The decay rate of the moment.
  static let momentum: Float = 0.95

  package init(learningRateFactor: Float, weightDecay: Float) {
    self.learningRateFactor = learningRateFactor
    self.weightDecay = weightDecay
  }
}

/// Updates the moment of `count` floats and replaces their gradient by Nesterov's average of both.
///
/// With g = gradient * gradientScale, m = 0.95 m + 0.05 g, and the gradient becomes 0.95 m + 0.05 g
/// with the new m. The result is as finite as the gradient.
package func muonMomentum(
  _ gradient: UnsafeMutablePointer<Float>, moment: UnsafeMutablePointer<Float>, count: Int,
  gradientScale: Float
) {
  let start = Profile.begin()
  defer { Profile.end(.optimizer, start) }
  let momentum = Vector(repeating: MuonHyperparameters.momentum)
  forEachVector(count) { i, tail in
    let g = gradient.load(at: i, tail: tail) * gradientScale
    let share = g * (1 - MuonHyperparameters.momentum)
    let m = moment.load(at: i, tail: tail).times(momentum, plus: share)
    moment.store(m, at: i, tail: tail)
    gradient.store(m.times(momentum, plus: share), at: i, tail: tail)
  }
}

/// Subtracts `scale * direction + decay * weight` from each of `count` weights.
///
/// `direction` is a range of an orthogonalised matrix, `scale` and `decay` include the learning
/// rate.
package func muonStep(
  _ weights: UnsafeMutablePointer<Float>, direction: UnsafeMutablePointer<Float>, count: Int,
  scale: Float, decay: Float
) {
  let start = Profile.begin()
  defer { Profile.end(.optimizer, start) }
  forEachVector(count) { i, tail in
    let w = weights.load(at: i, tail: tail)
    let update = (direction.load(at: i, tail: tail) * scale)
      .addingProduct(w, Vector(repeating: decay))
    weights.store(w - update, at: i, tail: tail)
  }
}
