import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
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
  /// Another objective may have other tensors, but those of the same name must have the same
  /// shape. Throws `UsageError` for data of another vocabulary, other sizes or two training stages,
  /// and for a finished run whose new steps or learning rate are missing.
  package func expectFits(_ changed: PretrainingConfiguration, _ data: ShardSet) throws {
    try data.expect(checkpoint.tokenizer, of: path)
    try data.expect(changed)
    guard !changed.recipe.task.scheme.hasStages else {
      throw UsageError(
        "two training stages begin with a new run and cannot continue a checkpoint; give "
          + "--init-from \(path) instead of --branch-from")
    }
    guard changed.recipe.task.isDisentangled == configuration.recipe.task.isDisentangled else {
      throw UsageError(
        "a branch cannot begin or end --weight-sharing disentangled, because the discriminator's "
          + "embeddings and their moments become others; give --init-from \(path)")
    }
    let differences = try differences(changed)
    guard differences.mismatched.isEmpty else {
      throw UsageError(
        "a branch keeps the sizes of its networks, because weights and moments belong to them: "
          + shortList(differences.mismatched))
    }
    guard
      configuration.recipe.steps > 0 || changed.recipe.steps > 0 && changed.recipe.learningRate > 0
    else {
      throw UsageError(
        "\(path) is the end of its schedule: give --steps and --learning-rate of the branch")
    }
  }

  /// The differences between the tensors of the checkpoint and the parameters of the new run.
  private func differences(_ changed: PretrainingConfiguration) throws -> ModelFile.Differences {
    let file = try ModelTensors(path: checkpoint.modelPath)
    return ModelFile.compare(file, changed.makeModel().layout) { $0 }
  }

  /// Writes `start.json`, `config.json` and the checkpoint of the new run in the folder `output`.
  ///
  /// The checkpoint comes last: where it is missing, the next start copies the one that
  /// `start.json` names (`copyMissingCheckpoint`). Throws `FileError.unwritable`.
  package func write(_ changed: PretrainingConfiguration, to output: String) throws {
    let source = RunStart.Source(path: path, checksum: checksum)
    let folder = URL(fileURLWithPath: checkpoint.path).standardizedFileURL.path
    try RunStart(
      branch: .init(
        source: source, checkpoint: folder, step: checkpoint.state.step,
        changes: changes(changed))
    ).write(to: output)
    try RunFolder(path: output).write(changed)
    try copyCheckpoint(changed, to: output)
  }

  /// Copies the checkpoint of a branched run whose first start was interrupted before it had one.
  ///
  /// Does nothing for a run that was not branched. `configuration` is that of the run in the folder
  /// `output`. Throws where the checkpoint is gone or another one.
  package static func copyMissingCheckpoint(
    _ start: RunStart?, _ configuration: PretrainingConfiguration, in output: String
  ) throws {
    guard let branch = start?.branch else { return }
    let path = branch.checkpoint ?? branch.source.path
    func lost(_ reason: String) -> UsageError {
      UsageError(
        "the run has no checkpoint yet, and \(path), from which it is branched, \(reason): choose "
          + "another --output")
    }
    let source: RunBranch
    do { source = try RunBranch(path) } catch { throw lost("cannot be read (\(error))") }
    guard source.checksum == branch.source.checksum else { throw lost("has other weights now") }
    try source.copyCheckpoint(configuration, to: output)
  }

  /// The checksum of the checkpoint's weights.
  private var checksum: String { checkpoint.state.weightsChecksum ?? "" }

  /// Writes the tensors of the checkpoint as the first checkpoint of the new run.
  private func copyCheckpoint(_ changed: PretrainingConfiguration, to output: String) throws {
    var state = checkpoint.state
    state.checksums = [:]
    let folder = checkpoint.path
    var files = ["config.json": try changed.jsonDocument()]
    for name in ["vocab.txt", "tokenizer_config.json", "tokenizer.json"] {
      files[name] = FileManager.default.contents(atPath: folder + "/" + name)
    }
    let store = CheckpointStore(runFolder: output, fault: FaultInjection.hook)
    try store.save(state, files: files) { new in
      let layout = changed.makeModel().layout
      let weights = Storage(count: layout.count)
      layout.initialize(weights, seed: changed.recipe.seed)
      return try CheckpointTensors.copy(
        folder, layout, matrices: changed.trainerSettings.matrices(of: layout), weights: weights,
        to: new, fault: store.fault)
    }
  }

  /// The settings that differ from the checkpoint's, and the tensors of another objective; one
  /// clause each.
  private func changes(_ changed: PretrainingConfiguration) throws -> [String] {
    let moments =
      (configuration.recipe.muonFactor == nil) == (changed.recipe.muonFactor == nil)
      ? [] : ["new moments for the weight matrices of encoder layers"]
    return changed.changes(since: configuration) + moments + (try differences(changed).clauses)
  }
}

extension PretrainingConfiguration.Recipe {
  /// The recipe of the steps after the first `done`, with the same learning rates.
  ///
  /// The rate falls linearly to 0, so the rest of the schedule is a schedule of its own with a
  /// lower peak. The rest of a warm-up begins at 0 again. A ramp keeps its steps: the fraction of
  /// one that has begun is negative, and one that is over is omitted.
  fileprivate func rest(after done: Int) -> Self {
    var rest = self
    rest.steps = fields.steps - done
    rest.warmupSteps = max(0, fields.warmupSteps - done)
    rest.discriminatorRamp = fields.discriminatorRamp?.map {
      (($0 * Double(fields.steps)).rounded() - Double(done)) / Double(max(1, rest.steps))
    }
    if let end = rest.discriminatorRamp?.last, end <= 0 { rest.discriminatorRamp = nil }
    rest.learningRate = fields.learningRate * (1 - Double(done) / Double(max(1, fields.steps)))
    return rest
  }
}
