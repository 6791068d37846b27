import Electra
import Foundation
import Models
import Platform
import Training

/// The preset, the initial models or the branch of a run: `start.json` of its folder.
///
/// These are the options of the first start that `config.json` does not contain. Runs of earlier
/// versions have no such file.
package struct RunStart: Codable, Equatable {
  /// The preset of the recipe; nil for `--config`.
  package var preset: String?
  /// The models of `--init-from`; empty for new weights.
  package var initial: [Source] = []
  /// The checkpoint of `--branch-from`; nil for other runs.
  package var branch: Branch?

  /// The checkpoint that a run was branched from, and what was changed.
  package struct Branch: Codable, Equatable {
    let source: Source
    /// The absolute path of the checkpoint's folder; nil in runs of earlier versions.
    var checkpoint: String?
    package let step: Int
    /// The changed settings, such as `learning_rate is 0.0001 instead of 0.0005`.
    let changes: [String]

    /// The checkpoint, as people name it.
    package var origin: String { "\(source.path) after step \(step.grouped)" }

    /// What was changed, in words.
    package var inWords: String {
      changes.isEmpty ? "no setting is changed" : changes.joined(separator: ", ")
    }

    /// The branch as a line for the log.
    var summary: String { "branched from \(origin): \(inWords)" }
  }

  /// A model whose weights the run began with.
  package struct Source: Codable, Equatable {
    /// The path, as the user gave it.
    let path: String
    /// CRC-32C of the file of weights, or those of all files.
    let checksum: String

    init(path: String, checksum: String) {
      (self.path, self.checksum) = (path, checksum)
    }

    /// Describes the model at `path`; throws where it cannot be read.
    init(path: String) throws {
      self.path = path
      if HuggingFaceFolder.isOne(path) {
        checksum = try ModelTensors(folder: path).checksum
      } else {
        checksum = try CheckpointFolder(path).state.weightsChecksum ?? ""
      }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case preset
    case initial = "init_from"
    case branch = "branch_from"
  }

  /// Reads the file of the run in `folder`; nil where there is none.
  package init?(folder: String) throws {
    let path = Self.path(folder)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    self = try decodeJSON(Self.self, data, from: path)
  }

  /// Describes a new run with the paths of `--init-from`; `preset` is nil for `--config`.
  ///
  /// Throws where a model's checksum cannot be read.
  package init(preset: Preset?, initial: [String]) throws {
    self.preset = preset?.rawValue
    self.initial = try initial.map { try Source(path: $0) }
  }

  /// Describes a run that was branched from a checkpoint.
  init(branch: Branch) { self.branch = branch }

  /// Checks that the path of `--branch-from` is the checkpoint that the run was branched from.
  ///
  /// nil is right for every run, and so is the path itself, even if the checkpoint is gone since.
  /// Throws `UsageError`.
  package func expectSame(branch path: String?) throws {
    guard let path, path != branch?.source.path,
      try Source(path: path).checksum != branch?.source.checksum
    else { return }
    let origin = branch.map { "branched from \($0.origin)" } ?? "not branched"
    throw UsageError(
      "the run exists and was \(origin): omit --branch-from to resume it, or choose another "
        + "--output")
  }

  /// Writes the file of the run in `folder`, atomically; throws `FileError.unwritable`.
  package func write(to folder: String) throws {
    try AtomicFile.write(jsonDocument(), to: Self.path(folder), replacing: true)
  }

  /// The name of the file in a run's folder.
  static let fileName = "start.json"

  private static func path(_ folder: String) -> String { folder + "/" + fileName }

  /// Whether the run began with the models at these paths: equal paths, even if the models are gone
  /// since, or equal weights at other paths.
  private func began(with paths: [String]) throws -> Bool {
    if paths == initial.map(\.path) { return true }
    guard paths.count == initial.count else { return false }
    return try paths.map { try Source(path: $0).checksum } == initial.map(\.checksum)
  }

  /// Checks that the paths of `--init-from` are the models that the run began with.
  ///
  /// A run that has checkpoints needs no paths. Throws `UsageError` for other models, and for
  /// missing paths where they are needed.
  package func expectSame(initial paths: [String], hasCheckpoints: Bool) throws {
    let names = list(initial.map(\.path))
    if paths.isEmpty {
      guard initial.isEmpty || hasCheckpoints else {
        throw UsageError(
          "the run has no checkpoint yet and begins with the weights of \(names): give "
            + "--init-from \(names) again")
      }
      return
    }
    guard try began(with: paths) else {
      let weights = initial.isEmpty ? "new weights" : names
      throw UsageError(
        "the run exists and began with other weights: --init-from is \(weights) there and "
          + "\(list(paths)) here; omit it to resume, or choose another --output")
    }
  }

  private func list(_ paths: [String]) -> String { paths.joined(separator: " and ") }
}
