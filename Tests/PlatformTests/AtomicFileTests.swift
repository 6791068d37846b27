import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

struct AtomicFileTests {
  @Test
  func nothingIsOverwrittenUnasked() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.txt")
    try AtomicFile.write("one".utf8, to: path)
    #expect(throws: FileError.exists(path: path)) { try AtomicFile.write("two".utf8, to: path) }
    #expect(throws: FileError.exists(path: path)) { try AtomicFile.expectFree(path) }
    #expect(try folder.text("a.txt") == "one")
    try AtomicFile.write("three".utf8, to: path, replacing: true)
    #expect(try folder.text("a.txt") == "three")
    try AtomicFile.expectFree(folder.file("b.txt"))
    #expect(try folder.names() == ["a.txt"])
  }

  @Test
  func severalFilesAreWrittenTogetherOrNotAtAll() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", "b")
    #expect(throws: FileError.exists(path: folder.file("b"))) {
      try AtomicFile.write([(folder.file("a"), [1]), (folder.file("b"), [2])])
    }
    #expect(throws: FileError.self) {
      try AtomicFile.write([(folder.file("a"), [1]), (folder.file("none/c"), [2])])
    }
    #expect(try folder.names() == ["b"])
    try AtomicFile.write([(folder.file("a"), [1]), (folder.file("c"), [2])])
    #expect(try folder.names() == ["a", "b", "c"])
  }

  @Test
  func aReplacedLinkStaysALinkAndADeviceADevice() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", "target")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: "target")
    try AtomicFile.write("new".utf8, to: folder.file("link"), replacing: true)
    #expect(try folder.text("target") == "new")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link")) == "target")
    try AtomicFile.write([1], to: "/dev/null", replacing: true)
    let device = try FileManager.default.attributesOfItem(atPath: "/dev/null")
    #expect(device[.type] as? FileAttributeType == .typeCharacterSpecial)
  }

  @Test
  func aFailureNamesTheFileAndTheReason() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("none/a")
    let error = FileError.unwritable(path: path, reason: "No such file or directory")
    #expect(throws: error) { try AtomicFile.write([1], to: path) }
    #expect(throws: error) { try AtomicFile.expectFree(path) }
  }

  /// Otherwise long work could end without a place for its result.
  @Test
  func anEmptyPathIsRefusedBeforeLongWork() throws {
    let error = FileError.unwritable(path: "\"\"", reason: "the path is empty")
    #expect(throws: error) { try AtomicFile.expectFree("") }
    #expect(throws: error) { try AtomicFile.write([1], to: "") }
  }

  @Test
  func ofManyJobsThatWriteTheSameFilesOneWinsWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    for round in 0..<100 {
      let wins = Mutex<[UInt8]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { job in
        let bytes = [UInt8](repeating: UInt8(job), count: 1000)
        let files = ["a", "b"].map { (path: "\(path)/\($0)\(round)", bytes: bytes) }
        if (try? AtomicFile.write(files)) != nil { wins.withLock { $0.append(UInt8(job)) } }
      }
      let winner = wins.withLock { $0 }
      #expect(winner.count == 1)
      for name in ["a", "b"] {
        #expect(
          try folder.bytes("\(name)\(round)")
            == [UInt8](repeating: winner.first ?? 255, count: 1000))
      }
    }
    #expect(try folder.names().count == 200)
  }
}
