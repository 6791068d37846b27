import Foundation
import Platform
import Testing
import Tokenization

struct VocabularyTests {
  private static let names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  @Test
  func specialTokensAreFoundByName() throws {
    let tokens = ["a", "[MASK]", "##b", "[SEP]", "[CLS]", "[UNK]", "[PAD]"]
    let vocabulary = try Vocabulary(tokens: tokens, source: "test")
    #expect(vocabulary.special.all == [6, 5, 4, 3, 1])
    #expect(vocabulary.size == 7)
  }

  @Test
  func idsAreFoundByteForByte() throws {
    let composed = "\u{E9}"
    let decomposed = "e\u{301}"
    let vocabulary = try vocabulary([composed, decomposed, "##e", "ab"])
    #expect(vocabulary.id(of: composed) == 5)
    #expect(vocabulary.id(of: decomposed) == 6)
    #expect(vocabulary.id(of: "##e") == 7)
    for absent in ["", "a", "abc", "#", "##", "zz", "\u{10FFFF}"] {
      #expect(vocabulary.id(of: absent) == nil)
    }
  }

  @Test(arguments: names)
  func aMissingSpecialTokenIsNamed(name: String) {
    let tokens = Self.names.filter { $0 != name } + ["a"]
    #expect(throws: TokenizationError.missingSpecialToken(source: "v.txt", token: name)) {
      try Vocabulary(tokens: tokens, source: "v.txt")
    }
  }

  @Test
  func duplicatesAreNamedWithBothLines() {
    let error = TokenizationError.duplicateToken(
      source: "v.txt", token: "a", firstLine: 6, secondLine: 8)
    #expect(throws: error) {
      try Vocabulary(tokens: Self.names + ["a", "b", "a"], source: "v.txt")
    }
  }

  @Test
  func badFilesAreRefusedWithTheirLine() throws {
    let good = Self.names.joined(separator: "\n") + "\n"
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "vocab.txt").path
      func expect(_ bytes: Data, _ error: some Error & Equatable) throws {
        try bytes.write(to: URL(filePath: path))
        #expect(throws: error) { try Vocabulary(contentsOf: path) }
      }
      #expect(throws: FileError.missing(path: path)) {
        try Vocabulary(contentsOf: path)
      }
      #expect(throws: FileError.self) { try Vocabulary(contentsOf: folder.path) }
      try expect(Data(), TokenizationError.emptyVocabulary(source: path))
      try expect(Data((good + "a\n\nb\n").utf8), TokenizationError.blankLine(source: path, line: 7))
      try expect(Data((good + "a\n \t\n").utf8), TokenizationError.blankLine(source: path, line: 7))
      try expect(
        Data(good.utf8) + [0x61, 0xFF, 0x0A], TextError.notUTF8(path: path, line: 6))
      try expect(
        Data(("\u{FEFF}" + good).utf8),
        FileError.unreadable(
          path: path, reason: "it begins with a byte order mark; save it as UTF-8 without one"))
      try expect(
        Data((good + String(repeating: "a", count: 1_000_000)).utf8),
        TokenizationError.unsupported(
          path: path, reason: "line 6 has 1000000 bytes, which is too long for a token"))
      try expect(
        Data((good + "a\na").utf8),
        TokenizationError.duplicateToken(source: path, token: "a", firstLine: 6, secondLine: 7))
    }
  }

  @Test
  func lineEndsOfWindowsAndAMissingLastOneAreAccepted() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "vocab.txt")
      try Data((Self.names + ["é", "b"]).joined(separator: "\r\n").utf8).write(to: file)
      #expect(try Vocabulary(contentsOf: file.path).tokens == Self.names + ["é", "b"])
    }
  }

  @Test
  func whatIsWrittenIsReadAgain() throws {
    let vocabulary = try vocabulary(["a", "##ß", "\u{2028}"])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "vocab.txt").path
      try vocabulary.write(to: path)
      let again = try Vocabulary(contentsOf: path)
      #expect(again.tokens == vocabulary.tokens)
      #expect(again.digest == vocabulary.digest)
      let bytes = try Data(contentsOf: URL(filePath: path))
      #expect(vocabulary.digest == SHA256.hexadecimal(Array(bytes)))
    }
  }

  @Test
  func nothingIsOverwritten() throws {
    let vocabulary = try vocabulary(["a"])
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "vocab.txt").path
      try Data("precious".utf8).write(to: URL(filePath: path))
      #expect(throws: FileError.exists(path: path)) {
        try vocabulary.write(to: path)
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }
  }

  @Test
  func anOutputThatCannotBeMadeIsRefused() throws {
    let vocabulary = try vocabulary(["a"])
    let error = FileError.unwritable(
      path: "/nowhere/vocab.txt", reason: "No such file or directory")
    #expect(throws: error) { try vocabulary.write(to: "/nowhere/vocab.txt") }
  }
}
