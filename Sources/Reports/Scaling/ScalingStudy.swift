/// Steps measured on 1 to N ranks, the model fitted to them, and its predictions for more ranks.
///
/// Held-out points check the fit: the largest number of ranks, because the model has to
/// extrapolate, and rank counts other than powers of two, because their traffic differs.
package struct ScalingStudy: Sendable {
  /// The measured points, ordered by number of ranks.
  package let points: [ScalingPoint]
  /// Whether the batch grows with the ranks (weak scaling) or is constant (strong scaling).
  package let isWeak: Bool
  package let model: ScalingModel
  /// Steps on 1, 2, 4 and up to 1024 ranks with a core per worker; strong scaling ends at one
  /// sequence per worker.
  package let predictions: [ScalingPoint]
  /// The largest number of ranks of a trusted prediction; beyond it is an extrapolation.
  static let trusted = 64
  private static let rankLimit = 1024
  private let largest: Int
  private let holdsOut: Bool

  /// Fits the model to `points`, of which there must be at least one.
  package init(_ points: [ScalingPoint]) {
    precondition(!points.isEmpty, "a study needs a point")
    self.points = points.sorted { $0.ranks < $1.ranks }
    let (smallest, last) = (self.points[0], self.points[points.count - 1])
    let isWeak = smallest.ranks == last.ranks || smallest.batch != last.batch
    self.isWeak = isWeak
    let largest = last.ranks
    self.largest = largest
    let fitted = self.points.filter { $0.isPowerOfTwo && $0.ranks < largest }
    holdsOut = Set(fitted.map(\.ranks)).count > 1
    model = ScalingModel(holdsOut ? fitted : self.points)
    let base = self.points.first(where: \.isPowerOfTwo) ?? smallest
    predictions = sequence(first: 1) { 2 * $0 }.prefix { $0 <= Self.rankLimit }
      .filter { isWeak || $0 * base.workers <= base.batch }
      .map { base.onRanks($0, isWeak: isWeak) }
  }

  /// Whether the fit does not use `point`.
  package func isHeldOut(_ point: ScalingPoint) -> Bool {
    holdsOut && (!point.isPowerOfTwo || point.ranks == largest)
  }

  /// The largest relative error of the model at held-out points; nil if the fit needs all points.
  package var checkError: Double? {
    points.filter(isHeldOut).map { abs(model.error($0)) }.max()
  }

  /// Seconds of a measured step, corrected to a core per worker.
  ///
  /// The correction is the difference of two predictions, so it includes that shorter computing
  /// overlaps with less traffic.
  package func dedicatedCoreSeconds(_ point: ScalingPoint) -> Double {
    var dedicated = point
    dedicated.workersPerCore = 1
    return point.seconds - (model.seconds(point) - model.seconds(dedicated))
  }

  /// Tokens per second of one rank, the base of efficiency: measured if possible, else predicted.
  var baseRate: Double {
    if let one = points.first(where: { $0.ranks == 1 }) {
      return Double(one.batch * one.length) / dedicatedCoreSeconds(one)
    }
    return Double(predictions[0].batch * predictions[0].length) / model.seconds(predictions[0])
  }

  /// Tokens per second of `point` at `seconds` per step, relative to its ranks times `baseRate`.
  package func efficiency(_ point: ScalingPoint, seconds: Double) -> Double {
    Double(point.batch * point.length) / seconds / (Double(point.ranks) * baseRate)
  }
}
