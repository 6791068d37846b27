import Foundation
import Platform
import TestSupport
import Testing

struct TextFileTests {
  private func lines(_ file: TextFile) throws -> [String] {
    var lines: [String] = []
    try file.forEachLine { number, bytes in
      lines.append("\(number) " + (try file.text(bytes, line: number)))
    }
    return lines
  }

  @Test(arguments: ["one\n\n two\n", "one\r\n\r\n two", "\u{FEFF}one\n\n two"])
  func linesAreThoseOfAnyPlatform(contents: String) throws {
    let file = TextFile(path: "a", contents: Array(contents.utf8))
    #expect(try lines(file) == ["1 one", "2 ", "3  two"])
    #expect(file.endsWithLineEnd == contents.hasSuffix("\n"))
    let line = try #require(file.firstLine { $0.trimmed.first == UInt8(ascii: "t") })
    #expect(String(decoding: line, as: UTF8.self) == " two")
  }

  @Test(arguments: ["gzip", "xz"])
  func packedFilesAreReadAsTheyWere(program: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("one\ntwo\n", "a.txt")
    let plain = try TextFile(path: path).contents
    try folder.pack("a.txt", with: program)
    let packed = try TextFile(path: path + (program == "xz" ? ".xz" : ".gz"))
    #expect(packed.contents == plain && plain == Array("one\ntwo\n".utf8))
  }

  @Test
  func theLineThatIsNotUTF8IsNamed() throws {
    let file = TextFile(path: "a", contents: [0x61, 0x0A, 0xE9, 0x0A])
    #expect(throws: TextError.notUTF8(path: "a", line: 2)) { try lines(file) }
  }

  @Test
  func standardInputHasItsNameInMessages() {
    let damaged = TextError.decompressionFailed(path: "-", program: "gzip", reason: "it is short")
    #expect("\(damaged)" == "gzip could not decompress standard input: it is short")
    #expect("\(TextError.notUTF8(path: "-", line: 2))".hasPrefix("standard input, line 2: "))
    let refused = FileError.unreadable(path: "-", reason: "Is a directory")
    #expect("\(refused)" == "cannot read standard input: Is a directory")
  }

  @Test
  func missingFilesAndFoldersAreNamed() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder.file("a"))) {
      try TextFile(path: folder.file("a"))
    }
    #expect(throws: FileError.unreadable(path: folder.path, reason: "Is a directory")) {
      try InputFile.contents(of: folder.path)
    }
  }

  @Test(
    arguments: [
      ("a.tsv", true), ("A.TSV.GZ", true), ("a.csv.xz", true), ("a.tsv.zst", true),
      ("a.tsv.bz2", true), ("a.tsv.lz4", false), ("tsv", false),
    ])
  func namesAreKnownPackedOrNot(name: String, isTable: Bool) {
    #expect(TextFile.isNamed(name, [".tsv", ".csv"]) == isTable)
  }

  @Test(arguments: [("", true), (" \t", true), (" a\t", false)])
  func blanksAndTabsAloneAreBlank(text: String, isBlank: Bool) {
    let bytes = Array(text.utf8)[...]
    #expect(bytes.isBlank == isBlank && bytes.trimmed.isEmpty == isBlank)
  }
}
