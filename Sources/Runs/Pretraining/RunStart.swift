import Electra
import Foundation
import Models
import Platform
import Training

/// What a run began with, as far as its configuration does not say: `start.json` of its folder. Runs of
/// earlier versions have none.
package struct RunStart: Codable, Equatable {
  /// The preset that the recipe was taken from; nil for a file of `--config`.
  package var preset: String?
  /// The models of `--init-from`; none for new weights.
  package var initial: [Source] = []

  /// A model that first weights were taken from.
  package struct Source: Codable, Equatable {
    /// As the user gave it.
    let path: String
    /// CRC-32C of the file of weights.
    let checksum: String

    init(path: String) throws {
      self.path = path
      if HuggingFaceFolder.isOne(path) {
        checksum = CheckpointState.checksum(of: path + "/model.safetensors") ?? ""
      } else {
        checksum = try CheckpointFolder(path).state.checksums["model.safetensors"] ?? ""
      }
    }
  }

  private enum CodingKeys: String, CodingKey {
    case preset
    case initial = "init_from"
  }

  /// That of the run in `folder`; nil where there is none.
  package init?(folder: String) throws {
    let path = Self.path(folder)
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    self = try decodeJSON(Self.self, data, from: path)
  }

  /// - Parameters:
  ///   - preset: nil for a file of `--config`.
  ///   - initial: the paths of `--init-from`.
  package init(preset: Preset?, initial: [String]) throws {
    self.preset = preset?.rawValue
    self.initial = try initial.map { try Source(path: $0) }
  }

  package func write(to folder: String) throws {
    do {
      try jsonDocument().write(
        to: URL(fileURLWithPath: Self.path(folder)), options: .atomic)
    } catch {
      throw FileError.unwritable(
        path: Self.path(folder), reason: error.localizedDescription)
    }
  }

  private static func path(_ folder: String) -> String { folder + "/start.json" }

  /// Whether the run began with the models at these paths: the paths that were given then, whatever has
  /// become of them since, or the same weights elsewhere.
  private func began(with paths: [String]) throws -> Bool {
    if paths == initial.map(\.path) { return true }
    guard paths.count == initial.count else { return false }
    return try paths.map { try Source(path: $0).checksum } == initial.map(\.checksum)
  }

  /// Checks that `--init-from` agrees with what the run began with.
  ///
  /// - Parameter hasCheckpoints: whether the run needs its first weights no more.
  package func expectSame(initial paths: [String], hasCheckpoints: Bool) throws {
    let names = list(initial.map(\.path))
    if paths.isEmpty {
      guard initial.isEmpty || hasCheckpoints else {
        throw UsageError(
          "the run has no checkpoint yet, and begins with the weights of \(names): give "
            + "--init-from \(names) again")
      }
      return
    }
    guard try began(with: paths) else {
      let weights = initial.isEmpty ? "new weights" : names
      throw UsageError(
        "the run exists and began with other weights: --init-from is \(weights) there and "
          + "\(list(paths)) here; leave it out to go on, or choose another --output")
    }
  }

  private func list(_ paths: [String]) -> String { paths.joined(separator: " and ") }
}
