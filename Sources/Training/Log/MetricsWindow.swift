import Collectives
import Foundation
import Layers

/// The sums for the next line of training metrics, over all steps since the last line.
///
/// Each rank keeps one sum per slice that it computes, and adds to it step after step. A line adds
/// the sums of all slices, in the order of the slices. Adding a rank's slices together earlier
/// would save memory, but the bits would then depend on the number of ranks.
///
/// The window is part of a checkpoint, so the bits do not depend on where a run was stopped either.
struct MetricsWindow: Sendable, Equatable {
  /// The name of the window's file in a checkpoint.
  ///
  /// An empty window has no file; checkpoints of earlier versions never have one.
  static let file = "metrics-window.json"

  private var steps = 0
  /// The sum of the gradient norms, equal on all ranks, so it is not gathered.
  private var gradientNorms = 0.0
  /// The sums of each of this rank's slices, in the order of the slices.
  private var sums: [[Double]] = []
  /// The pairs of scores within each of this rank's slices.
  ///
  /// Their sum is exact in any order, so slices need not be kept apart.
  private var pairs = PairCounts()

  init() {}

  /// Adds a step: the tallies of this rank's slices, in the order of the slices.
  mutating func add(_ tallies: [Tally], gradientNorm: Double) {
    steps += 1
    gradientNorms += gradientNorm
    if sums.isEmpty {
      sums = tallies.map(\.sums)
    } else {
      for (slice, tally) in tallies.enumerated() {
        for (index, value) in tally.sums.enumerated() { sums[slice][index] += value }
      }
    }
    for tally in tallies {
      pairs.add(PairCounts(positives: tally.positiveScores, negatives: tally.negativeScores))
    }
  }

  /// The metrics of all steps, equal on every rank.
  ///
  /// Means are ratios of sums over all steps, not means of the steps' ratios; the area under the
  /// ROC curve is the mean over all pairs of scores of one slice. Every rank must call it.
  func metrics(_ objective: some TrainingObjective, _ world: Communicator) throws -> MetricValues {
    var total = Tally()
    try world.gather(sums.map { Tally(sums: $0) }, into: &total)
    total.pairCounts = try gatheredPairs(world)
    return objective.metrics(of: total)
      + [(.gradientNorm, gradientNorms / Double(max(1, steps)))]
  }

  private func gatheredPairs(_ world: Communicator) throws -> PairCounts {
    var sum = PairCounts()
    for counts in try world.gather([pairs.ordered, pairs.all]) {
      sum.add(PairCounts(ordered: counts[0], all: counts[1]))
    }
    return sum
  }

  // MARK: Checkpoints

  /// The window of all ranks, as stored in a checkpoint.
  private struct Saved: Codable {
    let slices: Int
    let steps: Int
    let gradientNorms: Double
    /// The sums of all slices, concatenated in the order of the slices.
    let sums: [Double]
    let orderedPairs: Double
    let pairs: Double

    enum CodingKeys: String, CodingKey {
      case slices, steps, sums, pairs
      case gradientNorms = "gradient_norms"
      case orderedPairs = "ordered_pairs"
    }
  }

  /// Encodes the window of all ranks as the contents of `file`; nil for an empty window.
  ///
  /// Every rank must call it. Doubles are written so that they read back exactly.
  ///
  /// - Parameters:
  ///   - sliceCount: the number of slices of all ranks.
  ///   - world: all ranks.
  /// - Returns: the same bytes on every rank.
  /// - Throws: an error of the communication.
  func encoded(sliceCount: Int, _ world: Communicator) throws -> Data? {
    guard steps > 0 else { return nil }
    let pairs = try gatheredPairs(world)
    let saved = Saved(
      slices: sliceCount, steps: steps, gradientNorms: gradientNorms,
      sums: try world.gather(sums.flatMap(\.self)).flatMap(\.self),
      orderedPairs: pairs.ordered, pairs: pairs.all)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(saved)
  }

  /// Restores this rank's part of a checkpoint's window.
  ///
  /// - Parameters:
  ///   - data: the contents of `file`.
  ///   - slices: the slices of this rank.
  ///   - sliceCount: the number of slices of all ranks. A window with another number belongs to
  ///     another phase of the run; the result is then empty.
  ///   - isFirst: whether this rank takes the counts of pairs. Exactly one rank must: `metrics`
  ///     adds the counts of all ranks.
  /// - Throws: `DecodingError` if `encoded` did not write the data.
  init(_ data: Data, slices: [Int], of sliceCount: Int, isFirst: Bool) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let saved = try decoder.decode(Saved.self, from: data)
    guard saved.slices == sliceCount, saved.sums.count % sliceCount == 0 else { return }
    (steps, gradientNorms) = (saved.steps, saved.gradientNorms)
    let width = saved.sums.count / sliceCount
    sums = slices.map { Array(saved.sums[$0 * width..<($0 + 1) * width]) }
    if isFirst { pairs = PairCounts(ordered: saved.orderedPairs, all: saved.pairs) }
  }
}
