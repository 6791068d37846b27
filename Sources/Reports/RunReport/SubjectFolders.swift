import Foundation
import Layers
import Models
import Platform
import Runs

/// The folders of runs and fine-tunings among those that a user names.
enum SubjectFolders {
  /// Calls `body` with each folder at `paths` and up to two folders below, each once.
  ///
  /// Folders inside a run or fine-tuning, such as its checkpoints, are left out. `body` returns
  /// whether the folder is a run or fine-tuning. Throws `FileError` for a missing folder,
  /// `UsageError` where a path contains no run or fine-tuning, and the errors of `body`.
  static func visit(_ paths: [String], _ body: (String) throws -> Bool) throws {
    var seen: [String: Int] = [:]
    for path in paths {
      guard FileManager.default.fileExists(atPath: path) else {
        throw FileError.unreadable(path: path, reason: "there is no such folder")
      }
      let isNew = seen[real(path)] == nil
      guard try visit(path, depth: 2, &seen, body) || !isNew else {
        throw UsageError(
          "\(path) contains no run of pretrain and no results of finetune; give the folders that "
            + "were their --output")
      }
    }
  }

  private static func real(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// Returns whether a folder at `path` or below is a run or fine-tuning that was not visited
  /// before.
  ///
  /// `seen` has the depth to which each visited folder was searched.
  private static func visit(
    _ path: String, depth: Int, _ seen: inout [String: Int], _ body: (String) throws -> Bool
  ) throws -> Bool {
    let path = real(path)
    let before = seen[path]
    if let before, before >= depth { return false }
    seen[path] = depth
    var isFound = try before == nil && body(path)
    guard depth > 0 else { return isFound }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for entry in entries.sorted() where !parts.contains(entry) && !entry.hasPrefix(".") {
      var isFolder: ObjCBool = false
      let inner = path + "/" + entry
      if FileManager.default.fileExists(atPath: inner, isDirectory: &isFolder), isFolder.boolValue {
        isFound = try visit(inner, depth: depth - 1, &seen, body) || isFound
      }
    }
    return isFound
  }

  /// Folders inside a run or fine-tuning that contain no further ones.
  private static let parts: Set = [
    "checkpoints", "heartbeats", MetricsLine.Split.heldOut.rawValue, "predictions", "model",
  ]
}
