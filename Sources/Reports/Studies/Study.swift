import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// Pre-trained systems that are judged by what their encoders learn when they are fine-tuned: the paper's
/// Table 5 and Figure 3 are such studies (ELECTRA, sections 3.2 to 3.4 and 3.6).
///
/// A file names them, a line each with tabs between: the question that it answers, the system's name,
/// what the paper says of it, its place in the paper's order (1 is best, equal places are not told apart,
/// none is `-`), and its folder. That holds the pre-training in `run`, if there was one, and a folder for
/// each task that `electra finetune` made. What is not done yet is left out.
package struct Study {
  package let systems: [System]

  /// A line of the file with what was found in its folder.
  package struct System {
    let question: String
    let name: String
    let paper: String
    package let place: Int?
    package let training: Training?
    let scores: [Score]
  }

  /// What a pre-training was: its whole schedule, and the hours that it took so far.
  package struct Training {
    let steps: Int
    let operations: Double
    let hours: Double
  }

  /// A task's first metric on its first dev set, in percent, by seed.
  package struct Score {
    package let task: Task
    let metric: Metric
    let values: [UInt64: Double]
  }

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
        question: fields[0], name: fields[1], paper: fields[2], place: Int(fields[3]),
        training: try Training(run: fields[4] + "/run"),
        scores: try Score.all(in: fields[4]))
    }
    guard !systems.isEmpty else { throw StudyError.malformed(path: path, line: 1) }
  }

  /// In the order in which they first occur.
  package var questions: [String] {
    systems.map(\.question).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  package func systems(of question: String) -> [System] {
    systems.filter { $0.question == question }
  }

  /// The tasks of any system, in the order of the table of tasks.
  package var tasks: [Score] {
    Task.all.compactMap { task in
      systems.lazy.flatMap(\.scores).first { $0.task.name == task.name }
    }
  }

  /// The mean over all tasks, for each seed that all tasks have; empty where a task is missing.
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
  /// The scores of a task over seeds; empty where it was not done.
  package func sample(_ task: Task) -> Sample {
    let values = scores.first { $0.task.name == task.name }?.values ?? [:]
    return Sample(values.sorted { $0.key < $1.key }.map(\.value))
  }
}

extension Study.Training {
  /// nil where there is no run.
  fileprivate init?(run: String) throws {
    guard let configuration = try RunFolder(path: run).existingConfiguration() else { return nil }
    steps = configuration.steps
    operations = configuration.productOperationsOfRun
    hours = Self.seconds(of: run) / 3600
  }

  /// Of all starts together, as the last line of the metrics that tells of training says.
  private static func seconds(of run: String) -> Double {
    RunMetrics(runFolder: run).lines(.training).last?[.seconds] ?? 0
  }
}

extension Study.Score {
  /// Of every fine-tuning in a system's folder.
  fileprivate static func all(in folder: String) throws -> [Self] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try names.sorted().compactMap { name -> Self? in
      let path = "\(folder)/\(name)/results.json"
      guard let data = FileManager.default.contents(atPath: path) else { return nil }
      let results = try decodeJSON(FinetuningResults.self, data, from: path)
      guard let measure = results.measures.first else { return nil }
      // Answers that are all the same correlate with nothing.
      let values = results.seeds.map { ($0.seed, 100 * (($0.values.first ?? nil) ?? 0)) }
      return Self(
        task: try Task.named(results.task), metric: measure.metric,
        values: Dictionary(values) { $1 })
    }
  }
}

/// Values that differ by chance alone.
package struct Sample {
  package let values: [Double]

  package init(_ values: [Double]) { self.values = values }

  /// nil where there is none.
  package var mean: Double? { values.isEmpty ? nil : values.mean }

  /// The standard deviation of a sample; zero for one value.
  package var deviation: Double { values.sampleStandardDeviation }
}

/// What keeps a study from being read or told of.
package enum StudyError: Error, CustomStringConvertible {
  case malformed(path: String, line: Int)

  package var description: String {
    switch self {
    case .malformed(let path, let line):
      "line \(line) of \(path) is no system: question, name, the paper's words, its place or -, and "
        + "folder, with tabs between"
    }
  }
}
