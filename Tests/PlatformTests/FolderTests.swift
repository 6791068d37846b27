import Foundation
import Platform
import TestSupport
import Testing

struct FolderTests {
  @Test
  func foldersAboveAreMadeAndThoseThatAreThereStay() throws {
    let folder = try TemporaryFolder()
    for path in ["a/b/c", "a/b/c/", "a//b/d", "a/b"] { try Folder.make(folder.file(path)) }
    #expect(try folder.names("a/b") == ["c", "d"])
    try Folder.make("/")
    try Folder.make(".")
  }

  @Test
  func theReasonAndTheFolderInTheWayAreNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "file")
    for (path, named, reason) in [
      (folder.file("file"), folder.file("file"), "File exists"),
      (folder.file("file/a/b"), folder.file("file/a/b"), "Not a directory"),
      ("/proc/none/a", "/proc/none", "No such file or directory"),
      ("", "", "No such file or directory"),
    ] {
      #expect(
        throws: FileError.unwritable(
          path: named, reason: "the folder cannot be made: \(reason)")
      ) { try Folder.make(path) }
    }
  }

  @Test
  func parentsAreFoundByName() {
    for (path, parent) in [
      ("a", "."), ("a/b", "a"), ("/a", "/"), ("/a/b/", "/a"), ("a//", "."), ("/", "/"),
    ] { #expect(Folder.parent(of: path) == parent) }
  }
}
