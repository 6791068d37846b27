import Foundation
import Platform

/// Expands a user's list of files and folders.
package enum TextFiles {
  /// Consecutive files of a text.
  package struct Group: Sendable {
    package var files: [String] = []
    /// The total size of the files.
    package var bytes = 0
  }

  /// All files of `paths`, in order.
  ///
  /// Folders are expanded recursively in the order of names, without hidden files; `-`, standard
  /// input, is kept. Throws `FileError.unreadable`, also for a pipe or device in a folder, or
  /// `CorpusError.noText` if there are no files.
  package static func all(_ paths: [String]) throws -> [String] {
    var found: [String] = []
    for path in paths { found += try files(path) }
    guard !found.isEmpty else { throw CorpusError.noText(inputs: paths.joined(separator: ", ")) }
    return found
  }

  /// The total size of these files in bytes; files of unknown size count as 0.
  package static func bytes(_ paths: [String]) -> Int {
    paths.reduce(0) { total, path in
      var status = stat()
      return total + (stat(path, &status) == 0 ? Int(status.st_size) : 0)
    }
  }

  /// The files that come a second time, under the same name or through a link.
  package static func repeated(_ files: [String]) -> [String] {
    var seen: Set<[UInt64]> = []
    return files.filter { path in
      var status = stat()
      guard path != "-", stat(path, &status) == 0 else { return false }
      return !seen.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted
    }
  }

  /// Groups of consecutive files of at least `bytes` each, the last one perhaps smaller.
  ///
  /// `sizes` are the sizes of the files.
  package static func groups(_ files: [String], _ sizes: [Int], bytes: Int) -> [Group] {
    var groups: [Group] = []
    for (file, size) in zip(files, sizes) {
      if groups.isEmpty || groups[groups.count - 1].bytes >= bytes { groups.append(Group()) }
      groups[groups.count - 1].files.append(file)
      groups[groups.count - 1].bytes += size
    }
    return groups
  }

  /// The files at `path`.
  ///
  /// `ancestors` are the enclosing folders with links resolved; a link to one of them is an error.
  private static func files(
    _ path: String, in ancestors: [String] = []
  ) throws -> [String] {
    if path == "-" { return [path] }
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      throw FileError.unreadable(
        path: path,
        reason: code == ENOENT ? "there is no such file or folder" : systemReason(code))
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFDIR else {
      // A pipe that the user names has a writer; one in a folder may block forever.
      guard ancestors.isEmpty || kind == S_IFREG else {
        throw FileError.unreadable(path: path, reason: "it is neither a file nor a folder")
      }
      return [path]
    }
    let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard !ancestors.contains(folder) else {
      throw FileError.unreadable(path: path, reason: "it is a link to a folder that contains it")
    }
    let names: [String]
    do {
      // Names of composed and of combining accents are equal strings; their bytes decide.
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted {
        $0 == $1 ? $0.utf8.lexicographicallyPrecedes($1.utf8) : $0 < $1
      }
    } catch {
      throw FileError.unreadable(path: path, reason: "the folder cannot be listed")
    }
    var found: [String] = []
    for name in names where !name.hasPrefix(".") {
      found += try files(path + "/" + name, in: ancestors + [folder])
    }
    return found
  }
}
