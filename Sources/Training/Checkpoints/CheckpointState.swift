import Foundation
import Platform

/// The contents of a checkpoint's `state.json`: the progress of the run, and the other files'
/// checksums.
///
/// The file is written last. A folder without it is not a checkpoint.
package struct CheckpointState: Sendable, Codable, Equatable {
  package var formatVersion = 1
  /// The number of steps done.
  package var step: Int
  /// The number of tokens trained on.
  package var tokens: Int
  /// The seconds of training.
  package var seconds: Double
  /// The machine of the last steps; nil in checkpoints of earlier versions.
  package var machine: Machine?
  /// The CRC-32C of every other file in hexadecimal, by file name.
  package var checksums: [String: String] = [:]
  /// The CRC-32C of this JSON with this field empty, so that damage to `state.json` is found, too.
  private var ownChecksum = ""

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case step
    case tokens
    case seconds
    case machine
    case checksums
    case ownChecksum = "own_checksum"
  }

  package init(step: Int, tokens: Int = 0, seconds: Double = 0) {
    self.step = step
    self.tokens = tokens
    self.seconds = seconds
  }

  /// Reads the state in `folder` and compares every file with its checksum.
  ///
  /// Throws `damaged` for a file that is missing or differs. Throws `unreadable` if a file exists
  /// but cannot be read, or has an unknown format version: the checkpoint may be intact.
  package init(verifying folder: String) throws(CheckpointError) {
    let path = folder + "/state.json"
    guard let data = FileManager.default.contents(atPath: path) else { throw .missing(path) }
    guard let state = try? JSONDecoder().decode(Self.self, from: data) else {
      throw .damaged(file: path, reason: "it is not the state of a checkpoint")
    }
    guard state.formatVersion == 1 else {
      throw .unreadable(
        file: path,
        reason: "its format version is \(state.formatVersion); this program reads version 1"
      )
    }
    guard (try? state.sealed()) == data else {
      throw .damaged(file: path, reason: "its checksum differs")
    }
    for (name, checksum) in state.checksums.sorted(by: { $0.key < $1.key }) {
      guard let actual = Self.checksum(of: folder + "/" + name) else {
        throw .missing(folder + "/" + name)
      }
      guard actual == checksum else {
        throw .damaged(file: folder + "/" + name, reason: "its checksum differs")
      }
    }
    self = state
  }

  /// The CRC-32C of the weights in hexadecimal; nil before the checkpoint is written.
  package var weightsChecksum: String? { checksums[ModelTensors.fileName] }

  /// The bytes of `state.json`, including their checksum.
  func sealed() throws -> Data {
    var state = self
    state.ownChecksum = ""
    let checksum = try state.jsonDocument().withUnsafeBytes { CRC32C.of($0) }
    state.ownChecksum = String(checksum, radix: 16)
    return try state.jsonDocument()
  }

  /// The CRC-32C of a file in hexadecimal; nil if it cannot be read.
  package static func checksum(of path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    var checksum = CRC32C()
    do {
      while let data = try file.read(upToCount: 1 << 22), !data.isEmpty {
        data.withUnsafeBytes { checksum.add($0) }
      }
    } catch {
      return nil
    }
    return String(checksum.value, radix: 16)
  }
}

extension CheckpointError {
  /// The error for a file that could not be read: `damaged` only if it does not exist.
  ///
  /// A file system that fails for a while must not make the run discard an intact checkpoint.
  fileprivate static func missing(_ file: String) -> CheckpointError {
    FileManager.default.fileExists(atPath: file)
      ? .unreadable(file: file, reason: "it cannot be read")
      : .damaged(file: file, reason: "it is missing")
  }
}
