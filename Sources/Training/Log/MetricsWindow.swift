import Collectives
import Foundation
import Layers

/// The sums behind the next line of training metrics: of all steps since the line before.
///
/// Each rank adds up the tallies of its own slices, each slice by itself, step after step; a line adds
/// the slices up in their order. So no sum depends on ranks, workers or where a run was stopped: the
/// slices are part of the recipe, and the window is part of a checkpoint.
struct MetricsWindow: Sendable, Equatable {
  /// The file of a checkpoint that holds the window, unless it is empty.
  ///
  /// Checkpoints of earlier versions have none.
  static let file = "metrics-window.json"

  private var steps = 0
  /// The sum of the gradients' norms, which every rank knows.
  private var gradientNorms = 0.0
  /// The sums of each of this rank's slices, in the order of the slices.
  private var sums: [[Double]] = []
  private var scores = ScoreCounts()

  init() {}

  /// Adds a step: the tallies of this rank's slices, in their order.
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
      scores.add(positives: tally.positiveScores, negatives: tally.negativeScores)
    }
  }

  /// The metrics of all steps, the same on every rank; means are ratios of sums.
  ///
  /// Every rank must call it.
  func metrics(_ objective: some TrainingObjective, _ world: Communicator) throws -> MetricValues {
    var total = Tally()
    try world.gather(sums.map { Tally(sums: $0) }, into: &total)
    total.scoreCounts = try gatheredScores(world)
    return objective.metrics(of: total)
      + [(.gradientNorm, gradientNorms / Double(max(1, steps)))]
  }

  private func gatheredScores(_ world: Communicator) throws -> ScoreCounts {
    var all = ScoreCounts()
    for triples in try world.gather(scores.triples) { all.add(triples: triples) }
    return all
  }

  // MARK: Checkpoints

  /// The window of all ranks, as a checkpoint keeps it.
  private struct Saved: Codable {
    let slices: Int
    let steps: Int
    let gradientNorms: Double
    /// The sums of all slices, end to end.
    let sums: [Double]
    /// `ScoreCounts.triples`.
    let scores: [Int]

    enum CodingKeys: String, CodingKey {
      case slices, steps, sums, scores
      case gradientNorms = "gradient_norms"
    }
  }

  /// The bytes of `file`; nil for an empty window.
  ///
  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - slices: the slices of all ranks.
  ///   - world: the ranks.
  /// - Returns: the same bytes on every rank.
  /// - Throws: a failure of the exchange.
  func encoded(slices: Int, _ world: Communicator) throws -> Data? {
    guard steps > 0 else { return nil }
    let saved = Saved(
      slices: slices, steps: steps, gradientNorms: gradientNorms,
      sums: try world.gather(sums.flatMap(\.self)).flatMap(\.self),
      scores: try gatheredScores(world).triples)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(saved)
  }

  /// Continues the window of a checkpoint on this rank.
  ///
  /// - Parameters:
  ///   - data: the bytes of `file`.
  ///   - own: the slices of this rank.
  ///   - slices: the slices of all ranks; a window of another number is of another phase, and dropped.
  ///   - isFirst: whether this rank holds the counts of scores, as only one may.
  /// - Throws: `DecodingError` for bytes that `encoded` did not write.
  init(_ data: Data, own: [Int], of slices: Int, isFirst: Bool) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let saved = try decoder.decode(Saved.self, from: data)
    guard saved.slices == slices, saved.sums.count % slices == 0 else { return }
    (steps, gradientNorms) = (saved.steps, saved.gradientNorms)
    let width = saved.sums.count / slices
    sums = own.map { Array(saved.sums[$0 * width..<($0 + 1) * width]) }
    if isFirst { scores.add(triples: saved.scores) }
  }
}
