/// What the updates of all parameters in a step have in common.
struct UpdateStep: Sendable {
  /// The factor of gradient clipping.
  var gradientScale: Float
  var learningRate: Float
  /// Ranges of whole parameters whose weights and moments are not updated.
  var frozen: [Range<Int>] = []

  /// Whether the parameter at `position` is not updated.
  func isFrozen(_ position: Int) -> Bool { frozen.contains { $0.contains(position) } }
}
