import Foundation
import Platform

/// A file of a task.
package struct TaskFile: Sendable, Equatable {
  package let split: TaskSplit
  package let path: String
  /// The content, if it is in memory already; otherwise it is read from `path`.
  let contents: [UInt8]?

  package init(split: TaskSplit, path: String, contents: [UInt8]? = nil) {
    self.split = split
    self.path = path
    self.contents = contents
  }

  /// Whether words or tags can be selected by this name.
  ///
  /// JSON accepts any field name, CoNLL-U the names of its columns, other files none. Throws
  /// what `TextFile` throws.
  package func hasColumn(named name: String) throws -> Bool {
    let file = try TextFile(self)
    return file.holdsObjects || CoNLLU(file)?.index(of: name) != nil
  }
}

extension Task {
  /// The names of the task's folder in the downloads, the most common one first.
  package var folders: [String] {
    switch name {
    case "squad1": ["squad"]
    case "chunking": ["conll2000", name]
    case "squad2", "ner": [name]
    default: [title]
    }
  }

  /// The files of a folder in the order of `splits`; splits without an existing file are left out.
  package func files(in folder: String) -> [TaskFile] {
    var found: [TaskFile] = []
    for split in splits where !found.contains(where: { $0.split.name == split.name }) {
      if let path = split.path(in: folder) { found.append(TaskFile(split: split, path: path)) }
    }
    return found
  }

  /// The first file of a role in a folder; throws `missingFile`.
  package func file(
    _ role: SplitRole, in folder: String
  ) throws(FinetuningError) -> TaskFile {
    if let file = files(in: folder).first(where: { $0.split.role == role }) { return file }
    let wanted = splits.filter { $0.role == role }
    throw .missingFile(
      split: role.word, task: title, folder: folder, names: wanted.flatMap(\.files))
  }

  /// A file at a path that the user gives, with a layout of the task's splits.
  ///
  /// Prefers the split of this role with this file name, then the first of this role, then the
  /// first of any role, with the name of this role.
  package func file(_ role: SplitRole, at path: String) -> TaskFile {
    let name = (path as NSString).lastPathComponent
    let candidates = splits.filter { $0.role == role }
    var split = candidates.first { $0.hasFile(named: name) } ?? candidates.first ?? splits[0]
    if candidates.isEmpty { split.name = role.word }
    split.role = role
    split.rows = .all
    return TaskFile(split: split, path: path)
  }
}

extension SplitRole {
  /// The word for messages and for the names of splits.
  fileprivate var word: String {
    switch self {
    case .training: "training"
    case .development: "dev"
    case .test: "test"
    }
  }
}

extension TaskSplit {
  /// The names of its files, where a table may also be comma-separated, each also compressed.
  private var names: [String] {
    let tables = files.filter { $0.hasSuffix(".tsv") }.map { String($0.dropLast(4)) + ".csv" }
    return (files + tables).flatMap { name in
      [name] + FileContent.compressedEndings.map { name + $0 }
    }
  }

  /// Whether one of its files has this name, compressed or not.
  func hasFile(named name: String) -> Bool {
    names.contains { ($0 as NSString).lastPathComponent == name }
  }

  /// The first of its files that exists in a folder, compressed or not.
  fileprivate func path(in folder: String) -> String? {
    names.map { folder + "/" + $0 }.first { FileManager.default.fileExists(atPath: $0) }
  }
}
