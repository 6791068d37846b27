import Foundation
import Platform

/// The files that a user's list of files and folders stands for.
enum TextFiles {
  /// All files, in order: folders are read recursively in the order of names, hidden files left
  /// out; `-`, standard input, stays as it is.
  static func all(_ paths: [String]) throws -> [String] {
    var found: [String] = []
    for path in paths { found += try files(path) }
    guard !found.isEmpty else { throw CorpusError.noText(inputs: paths.joined(separator: ", ")) }
    return found
  }

  /// The bytes of all these files; 0 for what has none.
  static func bytes(_ paths: [String]) -> Int {
    paths.reduce(0) { total, path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return total + (attributes?[.size] as? Int ?? 0)
    }
  }

  /// - Parameter holders: the folders that hold it, as they are called without links.
  private static func files(
    _ path: String, in holders: [String] = []
  ) throws -> [String] {
    if path == "-" { return [path] }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError.unreadable(path: path, reason: "there is no such file or folder")
    }
    guard isFolder.boolValue else { return [path] }
    let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard !holders.contains(folder) else {
      throw FileError.unreadable(path: path, reason: "it is a link to a folder that holds it")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw FileError.unreadable(path: path, reason: "the folder cannot be listed")
    }
    var found: [String] = []
    for name in names where !name.hasPrefix(".") {
      found += try files(path + "/" + name, in: holders + [folder])
    }
    return found
  }
}
