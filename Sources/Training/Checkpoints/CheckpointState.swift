import Foundation
import Platform

/// `state.json` of a checkpoint: where the run stands, and the checksums of the other files. It is
/// written last, so a folder without it is no checkpoint.
package struct CheckpointState: Sendable, Codable, Equatable {
  package var formatVersion = 1
  /// The steps done.
  package var step: Int
  /// The tokens seen, and the seconds that took.
  package var tokens: Int
  package var seconds: Double
  /// Where its steps were computed last; nil in checkpoints of earlier versions.
  package var machine: Machine?
  /// CRC-32C of every other file.
  package var checksums: [String: String] = [:]
  /// CRC-32C of this state's own JSON with this field empty: a flipped digit of `step` is damage too.
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

  /// Reads the state in `folder` and compares every file with its checksum. Throws `damaged`, and
  /// `unreadable` where it is not for the program to judge.
  package init(verifying folder: String) throws(CheckpointError) {
    let path = folder + "/state.json"
    guard let data = FileManager.default.contents(atPath: path) else { throw .missing(path) }
    guard let state = try? JSONDecoder().decode(Self.self, from: data) else {
      throw .damaged(file: path, reason: "it is not what was written")
    }
    guard state.formatVersion == 1 else {
      throw .unreadable(
        file: path, reason: "its format is version \(state.formatVersion), and this program knows 1"
      )
    }
    guard (try? state.sealed()) == data else {
      throw .damaged(file: path, reason: "its checksum differs")
    }
    for (name, checksum) in state.checksums.sorted(by: { $0.key < $1.key }) {
      guard let own = Self.checksum(of: folder + "/" + name) else {
        throw .missing(folder + "/" + name)
      }
      guard own == checksum else {
        throw .damaged(file: folder + "/" + name, reason: "its checksum differs")
      }
    }
    self = state
  }

  /// The bytes of `state.json`, with their own checksum in them.
  func sealed() throws -> Data {
    var state = self
    state.ownChecksum = ""
    let checksum = try state.jsonDocument().withUnsafeBytes { CRC32C.of($0) }
    state.ownChecksum = String(checksum, radix: 16)
    return try state.jsonDocument()
  }

  /// The checksum of a file, nil when it cannot be read.
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
  /// A file that could not be opened: a system that fails for a while is no damage.
  fileprivate static func missing(_ file: String) -> CheckpointError {
    FileManager.default.fileExists(atPath: file)
      ? .unreadable(file: file, reason: "it cannot be read")
      : .damaged(file: file, reason: "it is missing")
  }
}
