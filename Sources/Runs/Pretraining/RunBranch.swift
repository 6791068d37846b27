import Corpus
import Electra
import Foundation
import Models
import Platform
import Training

/// A new run that begins with the whole state of a checkpoint, under a changed recipe
/// (`--branch-from`).
///
///     let branch = try RunBranch("run/checkpoints/step-00001000")
///     var configuration = branch.configuration
///     configuration.recipe.learningRate = 1e-4
///     try branch.write(configuration, to: "other")       // `other` can be resumed
///
/// The steps of the checkpoint become an earlier phase of the new run, and the rest of its schedule
/// the current one. So weights, moments, random numbers and the position in the data continue, and
/// without changes the new run does what the old one would have done, up to the rounding of the
/// learning rate.
package struct RunBranch {
  private let path: String
  private let checkpoint: CheckpointFolder
  /// The configuration without changes; its current phase is the rest of the schedule.
  package let configuration: PretrainingConfiguration

  /// Opens a checkpoint, or the newest valid one of a run.
  ///
  /// Throws where there is none, and `UsageError` for a run with two training stages.
  package init(_ path: String) throws {
    self.path = path
    checkpoint = try CheckpointFolder(path)
    var configuration = checkpoint.configuration
    guard !configuration.recipe.task.scheme.hasStages else {
      throw UsageError(
        "\(path) has two training stages and cannot be branched; begin a new run with --init-from")
    }
    let done = checkpoint.state.step - configuration.firstStep
    let rest = configuration.recipe.rest(after: done)
    if done > 0 {
      configuration.recipe.steps = done
      configuration.append(.init(recipe: rest, data: configuration.data))
    } else {
      configuration.recipe = rest
    }
    self.configuration = configuration
  }

  /// Checks that the new run can continue from the state of the checkpoint on `data`.
  ///
  /// Throws `UsageError` for data of another vocabulary, another objective or other sizes, and for
  /// a finished run whose new steps or learning rate are missing.
  package func expectFits(_ changed: PretrainingConfiguration, _ data: ShardSet) throws {
    try data.expect(checkpoint.tokenizer, of: path)
    try data.expect(changed)
    guard changed.recipe.task == configuration.recipe.task, changed.model == configuration.model
    else {
      throw UsageError(
        "a branch keeps objective and sizes, because the moments belong to them; begin a new run "
          + "with --init-from \(path)")
    }
    guard
      configuration.recipe.steps > 0 || changed.recipe.steps > 0 && changed.recipe.learningRate > 0
    else {
      throw UsageError(
        "\(path) is the end of its schedule: give --steps and --learning-rate of the branch")
    }
  }

  /// Writes the checkpoint, `start.json` and `config.json` of the new run in the folder `output`.
  ///
  /// The configuration comes last, because it makes the folder a run. Throws
  /// `FileError.unwritable`.
  package func write(_ changed: PretrainingConfiguration, to output: String) throws {
    var state = checkpoint.state
    state.checksums = [:]
    let folder = checkpoint.path
    var files = ["config.json": try changed.jsonDocument()]
    for name in ["vocab.txt", "tokenizer_config.json"] {
      files[name] = FileManager.default.contents(atPath: folder + "/" + name)
    }
    try CheckpointStore(runFolder: output).save(state, files: files) { new in
      try ["model.safetensors", "optimizer.safetensors"].reduce(into: [:]) { checksums, name in
        checksums[name] = try DurableFile.copy(folder + "/" + name, to: new + "/" + name)
      }
    }
    try RunStart(branch: path, step: state.step, changes: changes(changed)).write(to: output)
    try RunFolder(path: output).write(changed)
  }

  /// The settings that differ from the checkpoint's, one clause each.
  private func changes(_ changed: PretrainingConfiguration) -> [String] {
    let (old, new) = (configuration.fields, changed.fields)
    return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map {
      "\($0) is \(new[$0] ?? "absent") instead of \(old[$0] ?? "absent")"
    }
  }
}

extension PretrainingConfiguration.Recipe {
  /// The recipe of the steps after the first `done`, with the same learning rates.
  ///
  /// The rate falls linearly to 0, so the rest of the schedule is a schedule of its own with a
  /// lower peak. The rest of a warm-up begins at 0 again.
  fileprivate func rest(after done: Int) -> Self {
    var rest = self
    rest.steps = fields.steps - done
    rest.warmupSteps = max(0, fields.warmupSteps - done)
    rest.learningRate = fields.learningRate * (1 - Double(done) / Double(max(1, fields.steps)))
    return rest
  }
}
