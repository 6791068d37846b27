import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// A comparison of pre-trained systems by the scores of their fine-tunings.
///
/// Table 5 and Figure 3 of the paper are such studies (ELECTRA, sections 3.2 to 3.4 and 3.6).
///
/// A file has one line per system with five fields, separated by tabs: the question, the name of
/// the system, the paper's result, the rank in the paper (1 is the best, equal ranks are not
/// compared, `-` is none), and the folder. The folder contains the pre-training in `run`, if there
/// is one, and a folder of `electra finetune` per task. Missing runs and tasks are left out.
package struct Study {
  package let systems: [System]

  /// A line of the file with the results in its folder.
  package struct System {
    let question: String
    let name: String
    let paper: String
    /// The rank in the paper, 1 for the best; nil for none.
    package let paperRank: Int?
    package let training: Training?
    let scores: [Score]
  }

  /// A pre-training: its whole schedule, and the hours so far.
  package struct Training {
    let steps: Int
    let operations: Double
    let hours: Double
  }

  /// The first metric of a task on its first dev set, times 100, by seed.
  package struct Score {
    package let task: Task
    let metric: Metric
    let values: [UInt64: Double]
  }

  /// Reads the study file at `path` and the results that it names.
  ///
  /// Throws `FileError` if the file is missing, and `StudyError` for a malformed line or an empty
  /// file.
  package init(path: String) throws {
    guard let text = FileManager.default.contents(atPath: path) else {
      throw FileError.missing(path: path)
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    systems = try lines.enumerated().map { index, line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 5, fields[3] == "-" || Int(fields[3]) != nil else {
        throw StudyError.malformed(path: path, line: index + 1)
      }
      return System(
        question: fields[0], name: fields[1], paper: fields[2], paperRank: Int(fields[3]),
        training: try Training(run: fields[4] + "/run"),
        scores: try Score.all(in: fields[4]))
    }
    guard !systems.isEmpty else { throw StudyError.malformed(path: path, line: 1) }
  }

  /// The questions in the order of their first line.
  package var questions: [String] {
    systems.map(\.question).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The systems of a question, in the order of the file.
  package func systems(of question: String) -> [System] {
    systems.filter { $0.question == question }
  }

  /// One score per task that any system has, in the order of `Task.all`.
  package var tasks: [Score] {
    Task.all.compactMap { task in
      systems.lazy.flatMap(\.scores).first { $0.task.name == task.name }
    }
  }

  /// The mean over all tasks for each seed that all tasks have; empty if a task is missing.
  package func means(_ system: System) -> Sample {
    guard system.scores.count == tasks.count, let first = system.scores.first else {
      return Sample([])
    }
    return Sample(
      first.values.keys.sorted().compactMap { seed in
        let values = system.scores.compactMap { $0.values[seed] }
        return values.count == tasks.count ? values.mean : nil
      })
  }
}

extension Study.System {
  /// The scores of a task over seeds; empty if there are none.
  package func sample(_ task: Task) -> Sample {
    let values = scores.first { $0.task.name == task.name }?.values ?? [:]
    return Sample(values.sorted { $0.key < $1.key }.map(\.value))
  }
}

extension Study.Training {
  /// Reads the run in the folder `run`; nil if there is none.
  fileprivate init?(run: String) throws {
    guard let configuration = try RunFolder(path: run).existingConfiguration() else { return nil }
    steps = configuration.steps
    operations = configuration.productOperationsOfRun
    hours = Self.seconds(of: run) / 3600
  }

  /// Seconds of training of all starts together, from the last line of training metrics.
  private static func seconds(of run: String) -> Double {
    RunMetrics(runFolder: run).lines(.training).last?[.seconds] ?? 0
  }
}

extension Study.Score {
  /// The scores of every fine-tuning in the folder of a system.
  fileprivate static func all(in folder: String) throws -> [Self] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try names.sorted().compactMap { name -> Self? in
      let path = "\(folder)/\(name)/results.json"
      guard let data = FileManager.default.contents(atPath: path) else { return nil }
      let results = try decodeJSON(FinetuningResults.self, data, from: path)
      guard let measure = results.measures.first else { return nil }
      // The correlation of constant predictions is undefined and counts as 0.
      let values = results.seeds.map { ($0.seed, 100 * (($0.values.first ?? nil) ?? 0)) }
      return Self(
        task: try Task.named(results.task), metric: measure.metric,
        values: Dictionary(values) { $1 })
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
  case malformed(path: String, line: Int)

  package var description: String {
    switch self {
    case .malformed(let path, let line):
      "line \(line) of \(path) is not a system: expected question, name, the paper's result, its rank "
        + "or -, and folder, separated by tabs"
    }
  }
}
