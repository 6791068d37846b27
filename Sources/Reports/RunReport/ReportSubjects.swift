import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Training

/// The subjects of a report: runs of `pretrain` and fine-tunings.
package struct ReportSubjects {
  package private(set) var runs: [ReportedRun] = []
  package private(set) var finetunings: [ReportedFinetuning] = []

  /// Finds the runs and fine-tunings at `paths` and up to two folders below each.
  ///
  /// A folder that is found twice counts once. Throws `FileError` for a missing folder,
  /// `UsageError` for a folder without runs and fine-tunings, and errors of reading for a malformed
  /// file.
  package init(_ paths: [String]) throws {
    try SubjectFolders.visit(paths) { path in
      let (run, finetuning) = (try ReportedRun(path), try ReportedFinetuning(path))
      if let run { runs.append(run) }
      if let finetuning { finetunings.append(finetuning) }
      return run != nil || finetuning != nil
    }
    rename()
  }

  /// Adds the name of the parent folder to runs that have the same name.
  private mutating func rename() {
    let counts = Dictionary(grouping: runs, by: \.name).mapValues(\.count)
    for index in runs.indices where counts[runs[index].name, default: 0] > 1 {
      let parent = URL(fileURLWithPath: runs[index].path).deletingLastPathComponent()
      runs[index].name = parent.lastPathComponent + "/" + runs[index].name
    }
  }

  /// The run and the step of the checkpoint that a fine-tuning started from; nil if not in the
  /// report.
  func origin(of finetuning: ReportedFinetuning) -> (run: ReportedRun, step: Int)? {
    for run in runs {
      if let step = run.checkpoints[finetuning.encoder] { return (run, step) }
    }
    return nil
  }
}

/// A run of `pretrain`, read from its folder.
package struct ReportedRun {
  let path: String
  var name: String
  let configuration: PretrainingConfiguration
  let lines: [MetricsLine]
  /// The step of each checkpoint by the checksum of its weights.
  let checkpoints: [String: Int]
  /// The checkpoint that the run was branched from; nil for other runs.
  let branch: RunStart.Branch?

  /// Reads the run in the folder at `path`; nil if there is none.
  ///
  /// A run without checkpoints, or one that is still in progress, is read, too.
  init?(_ path: String) throws {
    let file = path + "/config.json"
    guard FileManager.default.fileExists(atPath: RunMetrics.path(runFolder: path)),
      let data = FileManager.default.contents(atPath: file)
    else { return nil }
    self.path = path
    name = URL(fileURLWithPath: path).lastPathComponent
    configuration = try decodeJSON(PretrainingConfiguration.self, data, from: file)
    if let problem = configuration.numericProblem {
      throw TextError.unusable(path: file, reason: problem)
    }
    lines = RunMetrics(runFolder: path).lines
    branch = (try? RunStart(folder: path))?.branch
    let store = CheckpointStore(runFolder: path)
    checkpoints = Dictionary(
      store.steps().compactMap { step in
        FileManager.default.contents(atPath: store.path(step: step) + "/state.json")
          .flatMap { try? JSONDecoder().decode(CheckpointState.self, from: $0) }
          .flatMap(\.weightsChecksum).map { ($0, step) }
      }
    ) { first, _ in first }
  }

  var training: [MetricsLine] { lines.filter { $0.split == .training } }
  var heldOut: [MetricsLine] { lines.filter { $0.split == .heldOut } }
  var warnings: [MetricsLine] { lines.filter { $0.split == .health } }
  /// The last line of training metrics; nil before the first.
  var last: MetricsLine? { training.last }

  /// The tokens seen after `step`: logged, or in proportion to the last line; nil without lines.
  func tokens(at step: Int) -> Double? {
    let before = training.last { $0.step <= step }
    if let before, before.step == step { return before.tokens.map(Double.init) }
    return last.flatMap { last in
      last.tokens.map { Double($0) * Double(step) / Double(max(1, last.step)) }
    }
  }

  /// The preset with the fewest different settings, with the same objective, and those settings.
  var nearest: (preset: Preset, differences: [(key: String, preset: String, run: String)]) {
    let (fields, objective) = (configuration.fields, configuration.recipe.task.objective)
    let choices = Preset.allCases.map { preset in
      let usual = preset.configuration(
        vocabularySize: configuration.model.vocabularySize, objective: objective
      ).fields
      return (
        preset: preset,
        differences: Set(fields.keys).union(usual.keys).sorted().filter {
          fields[$0] != usual[$0] && $0 != "data_sha256"
        }.map { (key: $0, preset: usual[$0] ?? "-", run: fields[$0] ?? "-") }
      )
    }
    return choices.min { $0.differences.count < $1.differences.count } ?? (.small, [])
  }

  /// A preset with this run's objective, in words.
  func name(_ preset: Preset) -> String {
    let objective = configuration.recipe.task.objective
    return preset.rawValue + (objective == preset.objective ? "" : " with \(objective.rawValue)")
  }
}

/// A finished fine-tuning, read from its folder.
package struct ReportedFinetuning {
  let name: String
  /// The checksum of the initial weights; empty if they were new.
  let encoder: String
  let title: String
  let results: FinetuningResults

  /// Reads the fine-tuning in the folder at `path`; nil if there is none or it is not finished.
  init?(_ path: String) throws {
    let (file, settings) = (path + "/results.json", path + "/finetuning.json")
    guard let data = FileManager.default.contents(atPath: file),
      let configuration = FileManager.default.contents(atPath: settings)
    else { return nil }
    name = URL(fileURLWithPath: path).lastPathComponent
    results = try decodeJSON(FinetuningResults.self, data, from: file)
    let description = try decodeJSON(FinetuningConfiguration.self, configuration, from: settings)
    (encoder, title) = (description.encoder, description.model.task.title)
  }
}
