import Foundation
import Platform

/// A file of a task.
package struct TaskFile: Sendable, Equatable {
  package let split: TaskSplit
  package let path: String
  /// What it holds, where that was read already.
  let contents: [UInt8]?

  package init(split: TaskSplit, path: String, contents: [UInt8]? = nil) {
    self.split = split
    self.path = path
    self.contents = contents
  }

  /// Whether words or tags can be asked for by this name: in JSON lines, and in CoNLL-U by its columns.
  /// Throws what `TextFile` throws.
  package func hasColumn(named name: String) throws -> Bool {
    let file = try TextFile(self)
    return file.holdsObjects || CoNLLU(file)?.index(of: name) != nil
  }
}

extension Task {
  /// The names that the task's folder has in the downloads, the most common one first.
  package var folders: [String] {
    switch name {
    case "squad1": ["squad"]
    case "chunking": ["conll2000", name]
    case "squad2", "ner": [name]
    default: [title]
    }
  }

  /// The files of a folder, in the order of `splits`. Files that are not there are left out.
  package func files(in folder: String) -> [TaskFile] {
    var found: [TaskFile] = []
    for split in splits where !found.contains(where: { $0.split.name == split.name }) {
      if let path = split.path(in: folder) { found.append(TaskFile(split: split, path: path)) }
    }
    return found
  }

  /// The first file of a role; throws `missingFile`.
  package func file(
    _ role: SplitRole, in folder: String
  ) throws(FinetuningError) -> TaskFile {
    if let file = files(in: folder).first(where: { $0.split.role == role }) { return file }
    let wanted = splits.filter { $0.role == role }
    throw .missingFile(
      split: role.word, task: title, folder: folder, names: wanted.flatMap(\.files))
  }

  /// A file that the user names, in the layout of the task's file of that role that is called so, or of
  /// the first of that role, or of any role if it has none.
  package func file(_ role: SplitRole, at path: String) -> TaskFile {
    let name = (path as NSString).lastPathComponent
    let own = splits.filter { $0.role == role }
    var split = own.first { $0.isCalled(name) } ?? own.first ?? splits[0]
    split.role = role
    split.rows = .all
    return TaskFile(split: split, path: path)
  }
}

extension SplitRole {
  /// As it is called in sentences.
  fileprivate var word: String {
    switch self {
    case .training: "training"
    case .development: "dev"
    case .test: "test"
    }
  }
}

extension TaskSplit {
  /// Whether one of its files is called so, packed or not.
  func isCalled(_ name: String) -> Bool {
    files.map { ($0 as NSString).lastPathComponent }
      .contains { [$0, $0 + ".gz", $0 + ".xz"].contains(name) }
  }

  /// The first of its files that is there, packed or not.
  fileprivate func path(in folder: String) -> String? {
    files.flatMap { [$0, $0 + ".gz", $0 + ".xz"] }.map { folder + "/" + $0 }
      .first { FileManager.default.fileExists(atPath: $0) }
  }
}
