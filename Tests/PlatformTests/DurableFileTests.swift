import Foundation
import Platform
import TestSupport
import Testing

struct DurableFileTests {
  @Test
  func bytesAndTheirChecksumAreWritten() throws {
    let folder = try TemporaryFolder()
    let file = try DurableFile(path: folder.file("a"))
    try file.write(Array("1234".utf8))
    try file.write(Array("56789".utf8))
    #expect(file.size == 9)
    // The check value of CRC-32C in every catalogue of checksums.
    #expect(try file.finish() == 0xE306_9283)
    #expect(try folder.text("a") == "123456789")
  }

  @Test
  func theHeaderIsPutInFrontAtTheEnd() throws {
    let folder = try TemporaryFolder()
    let file = try DurableFile(path: folder.file("a"))
    try file.write(Array("....body".utf8))
    #expect(try folder.text("a") == "....body")
    try file.finish(header: Array("HEAD".utf8))
    #expect(try folder.text("a") == "HEADbody")
  }

  @Test
  func aFullDiskAndAMissingFolderAreNamed() throws {
    let full = FileError.unwritable(path: "/dev/full", reason: "No space left on device")
    #expect(throws: full) { try DurableFile.write([1], to: "/dev/full") }
    let missing = FileError.unwritable(path: "/none/a", reason: "No such file or directory")
    #expect(throws: missing) { try DurableFile.write([1], to: "/none/a") }
  }

  @Test
  func copiesAreEqualAndMissingSourcesNamed() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try folder.write(bytes, "a")
    try DurableFile.copy(folder.file("a"), to: folder.file("b"))
    #expect(try folder.bytes("b") == bytes)
    #expect(throws: FileError.missing(path: folder.file("c"))) {
      try DurableFile.copy(folder.file("c"), to: folder.file("d"))
    }
    let error = #expect(throws: FileError.self) {
      try DurableFile.copy(folder.path, to: folder.file("d"))
    }
    #expect(error == .unreadable(path: folder.path, reason: "Is a directory"))
  }
}
