import Foundation
import Platform
import Tensors

/// A comparison of pre-trained systems by the scores of their fine-tunings.
///
/// Table 5 and Figure 3 of the paper are such studies (ELECTRA, sections 3.2 to 3.4 and 3.6).
///
/// The file is the JSON object that the programs in Launch/studies write: the systems of each
/// question, and a run for each seed with scores (times 100) and other measures. Missing runs and
/// scores are left out. A system with a budget is compared at several amounts of compute.
package struct Study: Decodable {
  /// A row of the tables; several rows may have the same runs, those with `key` as their system.
  package struct System: Decodable {
    let key: String
    let question: String
    let name: String
    /// The paper's result; nil for none.
    let paper: String?
    /// The rank in the paper, 1 for the best; nil for none.
    ///
    /// Equal ranks are not compared.
    package let rank: Int?
    /// The compute, as the tokens of a reference system.
    let budget: Double?
  }

  /// The runs of a system with one seed.
  package struct Run: Decodable {
    let system: String
    let seed: UInt64
    let steps: Int?
    /// Operations in matrix products.
    let operations: Double?
    /// Seconds of pre-training, by the clock or of all cores together.
    let seconds: Double?
    let coreSeconds: Double?
    /// Whether these seconds are those of the last of several starts.
    let resumed: Bool?
    /// Why the run has no scores: it diverged.
    let failed: String?
    let scores: [String: Double]
    let measures: [String: Double]?

    private enum CodingKeys: String, CodingKey {
      case system, seed, steps, operations, seconds, scores, measures, resumed, failed
      case coreSeconds = "core_seconds"
    }
  }

  /// Two systems of the same question by their names.
  struct Pair: Decodable {
    let system: String
    let against: String
    /// The least difference that counts as a success; nil if none does.
    let margin: Double?
    /// Another system that `system` must be above for a success.
    let alsoAbove: String?

    private enum CodingKeys: String, CodingKey {
      case system, against, margin
      case alsoAbove = "also_above"
    }
  }

  /// The names of scores in the order of the table.
  package let scores: [String]
  /// What the seeds of a system's runs differ in, such as `pre-training`.
  let seeds: String
  package let systems: [System]
  let runs: [Run]
  private let decisive: [String]?
  private let comparisons: [Pair]?

  /// Reads the study file at `path`.
  ///
  /// Throws `FileError` if the file is missing, `TextError` if it is not the JSON of a study, and
  /// `StudyError` if it has no systems, a run or decisive score that it does not declare, two runs
  /// of a system with the same seed, or a score that is too large for a chart.
  package init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.missing(path: path)
    }
    self = try decodeJSON(Study.self, data, from: path)
    let keys = Set(systems.map(\.key))
    if systems.isEmpty { throw StudyError.noSystems(path: path) }
    for run in runs where !keys.contains(run.system) {
      throw StudyError.unknown(path: path, kind: "system", name: run.system)
    }
    var seen = Set<String>()
    for run in runs where !seen.insert("\(run.system), seed \(run.seed)").inserted {
      throw StudyError.repeated(path: path, system: run.system, seed: run.seed)
    }
    for name in runs.flatMap(\.scores.keys) + decisiveScores where !scores.contains(name) {
      throw StudyError.unknown(path: path, kind: "score", name: name)
    }
    for run in runs {
      for (name, value) in run.scores.sorted(by: { $0.key < $1.key })
      where abs(value) > Self.largestScore {
        throw StudyError.tooLarge(path: path, name: name, system: run.system, seed: run.seed)
      }
    }
  }

  /// Scores are times 100; ticks of a chart beyond this magnitude would overflow.
  private static let largestScore = 1e9

  /// The scores whose mean decides; all, unless the file names some.
  var decisiveScores: [String] { decisive ?? scores }

  /// The names of measures in alphabetical order.
  var measures: [String] { Set(runs.flatMap { ($0.measures ?? [:]).keys }).sorted() }

  /// The questions in the order of their first system.
  package var questions: [String] {
    systems.map(\.question).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The systems of a question, in the order of the file.
  package func systems(of question: String) -> [System] {
    systems.filter { $0.question == question }
  }

  /// The runs of a system in the order of their seeds.
  package func runs(of system: System) -> [Run] {
    runs.filter { $0.system == system.key }.sorted { $0.seed < $1.seed }
  }

  /// The mean of the decisive scores for each seed that has all of them.
  package func means(_ system: System) -> Sample {
    Sample(
      runs(of: system).compactMap { run in
        let values = decisiveScores.compactMap { run.scores[$0] }
        return values.isEmpty || values.count < decisiveScores.count ? nil : values.mean
      })
  }

  /// A score or measure of a system over seeds; empty if there is none.
  package func sample(_ system: System, _ name: String) -> Sample {
    Sample(runs(of: system).compactMap { $0.scores[name] ?? $0.measures?[name] })
  }

  /// The differences of a question that the file asks for, of systems with results.
  package func differences(of question: String) -> [Difference] {
    let systems = systems(of: question)
    func difference(_ name: String, _ against: String) -> Difference? {
      guard let system = systems.first(where: { $0.name == name }),
        let other = systems.first(where: { $0.name == against })
      else { return nil }
      return Difference(system.name, means(system), against: other.name, means(other))
    }
    return (comparisons ?? []).compactMap { pair in
      guard var result = difference(pair.system, pair.against) else { return nil }
      result.margin = pair.margin
      result.diverged = systems.contains {
        [pair.system, pair.against].contains($0.name) && !divergedSeeds($0).isEmpty
      }
      if let other = pair.alsoAbove {
        result.isAlsoAbove = difference(pair.system, other)?.isAbove ?? false
      }
      return result
    }
  }

  /// The seeds of a system whose runs diverged.
  func divergedSeeds(_ system: System) -> [UInt64] {
    runs(of: system).filter { $0.failed != nil }.map(\.seed)
  }

  /// Sentences on what counts as a success in the comparisons.
  var rules: [String] {
    let pairs = comparisons ?? []
    let margins = Set(pairs.compactMap(\.margin)).sorted()
    return margins.map { "A success is at least \($0) with the interval above 0." }
      + pairs.compactMap { pair in
        pair.alsoAbove.map {
          "For \(pair.system) the interval of its difference from \($0) must be above 0 too."
        }
      }
  }
}

/// Scores of one system that differ by their seed only.
package struct Sample {
  package let values: [Double]

  package init(_ values: [Double]) { self.values = values }

  /// The mean; nil without values.
  package var mean: Double? { values.isEmpty ? nil : values.mean }

  /// The sample standard deviation (division by n - 1); 0 for fewer than two values.
  package var standardDeviation: Double { values.sampleStandardDeviation }
}

/// An error in a study file.
package enum StudyError: Error, CustomStringConvertible {
  case noSystems(path: String)
  case unknown(path: String, kind: String, name: String)
  case repeated(path: String, system: String, seed: UInt64)
  case tooLarge(path: String, name: String, system: String, seed: UInt64)

  package var description: String {
    switch self {
    case .noSystems(let path): "\(path) is a study without systems"
    case .unknown(let path, let kind, let name):
      "\(path) names the \(kind) \(name), which is not in its list"
    case .repeated(let path, let system, let seed):
      "\(path) has two runs of \(system) with the seed \(seed)"
    case .tooLarge(let path, let name, let system, let seed):
      "\(path): the score \(name) of \(system) with the seed \(seed) is above 1e9 in magnitude; "
        + "scores are percentages"
    }
  }
}
