/// Steps measured on 1 to N ranks, the model fitted to them, and what it says of more ranks.
///
/// Points that the fit does not see judge it: the largest number of ranks, since what is asked of the
/// model is what lies beyond, and numbers that are no powers of two, whose traffic is another.
package struct ScalingStudy: Sendable {
  /// By number of ranks.
  package let points: [ScalingPoint]
  /// Whether the batch grows with the ranks (weak scaling), or is the same for all (strong).
  package let isWeak: Bool
  package let model: ScalingModel
  /// Powers of two from one rank on, each lane with a core of its own.
  package let predictions: [ScalingPoint]
  /// How many ranks predictions are trusted up to; beyond they are extrapolations.
  package static let trusted = 64
  private static let most = 1024
  private let largest: Int
  private let keepsBack: Bool

  /// - Parameter points: at least one.
  package init(_ points: [ScalingPoint]) {
    precondition(!points.isEmpty, "a study needs a point")
    self.points = points.sorted { $0.ranks < $1.ranks }
    let (smallest, last) = (self.points[0], self.points[points.count - 1])
    let isWeak = smallest.ranks == last.ranks || smallest.batch != last.batch
    self.isWeak = isWeak
    let largest = last.ranks
    self.largest = largest
    let seen = self.points.filter { $0.isPowerOfTwo && $0.ranks < largest }
    keepsBack = Set(seen.map(\.ranks)).count > 1
    model = ScalingModel(keepsBack ? seen : self.points)
    let base = self.points.first(where: \.isPowerOfTwo) ?? smallest
    predictions = sequence(first: 1) { 2 * $0 }.prefix { $0 <= Self.most }
      .filter { isWeak || $0 * base.lanes <= base.batch }
      .map { base.onRanks($0, isWeak: isWeak) }
  }

  /// Whether the fit has not seen `point`.
  package func isKeptBack(_ point: ScalingPoint) -> Bool {
    keepsBack && (!point.isPowerOfTwo || point.ranks == largest)
  }

  /// The largest error of the model at points that it has not seen; nil where all were needed.
  package var checkError: Double? {
    points.filter(isKeptBack).map { abs(model.error($0)) }.max()
  }

  /// Seconds of a measured step if every lane had a core of its own: less what the turns cost by the
  /// model, which counts that shorter computing also hides less traffic.
  package func ownCoreSeconds(_ point: ScalingPoint) -> Double {
    var own = point
    own.lanesPerCore = 1
    return point.seconds - (model.seconds(point) - model.seconds(own))
  }

  /// Tokens a second of one rank, on which efficiency is based: measured if it was.
  package var baseRate: Double {
    if let one = points.first(where: { $0.ranks == 1 }) {
      return Double(one.batch * one.length) / ownCoreSeconds(one)
    }
    return Double(predictions[0].batch * predictions[0].length) / model.seconds(predictions[0])
  }

  /// What `ranks` make of the tokens a second that they would make if each were as fast as one alone.
  package func efficiency(_ point: ScalingPoint, seconds: Double) -> Double {
    Double(point.batch * point.length) / seconds / (Double(point.ranks) * baseRate)
  }
}
