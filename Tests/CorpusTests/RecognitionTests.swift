import Corpus
import Foundation
import Platform
import TestSupport
import Testing

/// The form of a file is detected from its contents.
struct RecognitionTests {
  private static let rows =
    #"{"id": 1, "text": "one\ntwo"}"# + "\n" + #"{"id": 2, "text": "three"}"#
  private static let array =
    "[\n  {\n    \"text\": \"one\\ntwo\", \"n\": [{}, \"}\"]\n  },\n  {\"text\": \"three\"}\n]\n"

  private func documents(_ path: String, field: String = "text") throws -> [[String]] {
    let reader = try TextReader(paths: [path], options: .init(field: field))
    var result: [[String]] = []
    while var block = try reader.next() {
      _ = try block.validate(.stop)
      for lines in block.documents {
        result.append(
          block.lines[lines].map { String(decoding: block.bytes[$0.bytes], as: UTF8.self) })
      }
    }
    return result
  }

  private func texts(_ path: String) throws -> [String] {
    let lines = try TextLines(path: path)
    var result: [String] = []
    while let text = try lines.next() { result.append(text) }
    return result
  }

  @Test(arguments: ["a.jsonl", "a.ndjson", "a.json", "a.JSONL", "a.txt", "rows"], [rows, array])
  func objectsAreKnownByContent(name: String, content: String) throws {
    let folder = try TemporaryFolder()
    for mark in ["", "\u{FEFF}", "\n \r\n"] {
      let path = try folder.write(mark + content, name)
      #expect(try documents(path) == [["one", "two"], ["three"]])
      #expect(try texts(path) == ["one\ntwo", "three"])
    }
  }

  @Test(arguments: ["gzip", "xz"])
  func packedObjectsAreKnownWithoutAName(program: String) throws {
    let folder = try TemporaryFolder()
    for name in ["c4.json", "UPPER.TXT", "plain"] {
      try folder.write(Self.rows, name)
      try folder.pack(name, with: program)
      let packed = folder.file(name + (program == "xz" ? ".xz" : ".gz"))
      let other = folder.file("really-packed.txt")
      try? FileManager.default.removeItem(atPath: other)
      try FileManager.default.moveItem(atPath: packed, toPath: other)
      #expect(try documents(other) == [["one", "two"], ["three"]])
      #expect(try texts(other) == ["one\ntwo", "three"])
    }
  }

  @Test(
    arguments: [
      "{braces} in text\n", "{\"quoted\" text}\n", "[1] a note\n", "[{x}]\n", "{\n\"a\n", "{}\n",
    ])
  func textWithBracesIsText(text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, "a.txt")
    #expect(try texts(path).joined(separator: "\n") + "\n" == text)
    #expect(try documents(path).joined().joined(separator: "\n") + "\n" == text)
  }

  @Test
  func theFieldCanBeNamed() throws {
    let folder = try TemporaryFolder()
    let rows = #"{"t\u0065xt": "no", "content": "yes", "text": "last"}"#
    let path = try folder.write(rows, "a.txt")
    #expect(try documents(path, field: "content") == [["yes"]])
    #expect(try documents(path) == [["last"]])
  }

  @Test
  func fieldsThatNobodyReadsDoNoHarm() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"{"score": 1e400, "big": 123456789012345678901234567890, "half": "\ud83d", "text": "#
        + #""\u0041\ud83d\ude00\/\t\"x\"", "deep": [[{"text": "no"}], -0.5E-9, true, false, null], "#
        + #""python": [NaN, Infinity, -Infinity]}"#,
      "a.jsonl")
    #expect(try documents(path) == [["A😀/\t\"x\""]])
  }

  @Test(
    arguments: [
      #"{"text": "a",}"#, #"{"text": "a""#, #"{"text": "\x"}"#, #"{"text": "\u12g4"}"#,
      #"{"text": 01}"#, #"{"text": +1}"#, #"{"text": 1.}"#, #"{"text": tru}"#, #"{text: "a"}"#,
      #"{"text": -NaN}"#, #"{"text": - Infinity}"#, #"{"text": Inf}"#, #"{"text" "a"}"#,
      #"{"text": ["a"}"#, #"{"text": "a"]"#,
    ])
  func brokenObjectsAreNamed(line: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(line + "\n", "a.jsonl")
    let error = CorpusError.badLine(path: path, line: 1, problem: .notJSON, canSkip: true)
    #expect(throws: error) { try documents(path) }
  }

  @Test
  func listsThatAreCutShortAreNamed() throws {
    let folder = try TemporaryFolder()
    for (text, line) in [
      ("[{\"text\": \"a\"},\n{\"text\": \"b", 2),
      ("[{\"text\": \"a\"},\n{\"text\": \"b\"},\n\n", 4),
      ("[{\"text\": \"a\"},\n\"b\"]", 2),
    ] {
      let path = try folder.write(text, "a.json")
      let error = CorpusError.badLine(path: path, line: line, problem: .notJSON, canSkip: true)
      #expect(throws: error) { try documents(path) }
    }
  }

  @Test
  func objectsLargerThanABlockAreReadWhole() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "many words ", count: 300_000)
    let path = try folder.write("[{\"text\": \"\(long)\"},\n {\"text\": \"short\"}]", "a.json")
    #expect(try documents(path) == [[long], ["short"]])
  }

  @Test(
    arguments: [
      (.utf16, "UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8 <"),
      (.utf16LittleEndian, "UTF-16LE text; convert it first: iconv -f UTF-16LE -t UTF-8 <"),
      (.utf16BigEndian, "UTF-16BE text"), (.utf32, "UTF-32 text"),
    ] as [(String.Encoding, String)])
  func otherEncodingsAreNamed(encoding: String.Encoding, says: String) throws {
    let folder = try TemporaryFolder()
    let data = try #require("The river runs past the garden.\n".data(using: encoding))
    let path = try folder.write(data, "a b.txt")
    expectRefused(path, [says, "'\(path)' > NEW", "--invalid-text skip"])
  }

  @Test(
    arguments: [
      ([0x04, 0x22, 0x4D, 0x18, 0x60], "is compressed with lz4; decompress it first: lz4 -dc <"),
      (Array("LZIP\u{1}".utf8), "lzip -dc <"), (Array("PK\u{3}\u{4}".utf8), "a zip archive"),
      (Array("%PDF-1.7\n".utf8), "pdftotext"), (Array("PAR1\u{15}".utf8), "Launch/text/parquet.py"),
      ([UInt8](repeating: 0, count: 257) + Array("ustar".utf8), "a tar archive"),
    ] as [([UInt8], String)])
  func whatIsNoTextIsNamed(bytes: [UInt8], says: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes + [0, 1, 2, 0xFF], "a.jsonl")
    expectRefused(path, [path, says])
    #expect(throws: TextError.self) { try texts(path) }
    let sound = try folder.write("sound\n", "sound.txt")
    let reader = try TextReader(paths: [path, sound], options: .init(invalidText: .skip))
    while try reader.next() != nil {}
    #expect(reader.remarks.skippedFiles == 1)
  }

  @Test
  func whatIsInsideAPackedFileIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write(try #require("The river.\n".data(using: .utf16)), "a.txt")
    try folder.pack("a.txt", with: "gzip")
    let path = folder.file("a.txt.gz")
    expectRefused(path, ["gzip -dc < \(path) | iconv -f UTF-16 -t UTF-8 > NEW"])
  }

  private func expectRefused(
    _ path: String, _ says: [String], _ location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: CorpusError.self, sourceLocation: location) {
      try documents(path)
    }
    for part in says {
      #expect(error?.description.contains(part) == true, sourceLocation: location)
    }
  }

  @Test
  func bytesBehindPackedDataAreLeftOutWithAWarning() throws {
    let folder = try TemporaryFolder()
    try folder.write("one\n\ntwo\n", "a.txt")
    try folder.pack("a.txt", with: "gzip")
    let packed = try folder.bytes("a.txt.gz")
    try folder.write(packed + Array("garbage".utf8), "in/1.gz")
    try folder.write(packed + Array("garbage".utf8), "in/2.gz")
    try folder.write(packed, "in/3.gz")
    let reader = try TextReader(paths: [folder.file("in")], options: .init())
    var documents = 0
    while let block = try reader.next() { documents += block.documents.count }
    #expect(documents == 6)
    let sentences = reader.remarks.sentences
    #expect(sentences.count == 1 && sentences[0].contains("1.gz and 1 more file"))
  }

  @Test
  func aSkippableFrameBeginsACompressedFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("one\n", "a.txt")
    try folder.pack("a.txt", with: "zstd")
    let frame: [UInt8] = [0x5E, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7]
    #expect(try documents(folder.write(frame + folder.bytes("a.txt.zst"), "b")) == [["one"]])
  }

  @Test
  func manySmallPackedFilesAreReadQuickly() throws {
    let folder = try TemporaryFolder()
    try folder.write("one\n", "a.txt")
    try folder.pack("a.txt", with: "gzip")
    let packed = try folder.bytes("a.txt.gz")
    for number in 0..<100 { try folder.write(packed, "in/\(number).gz") }
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let start = Date()
      try body()
      return Date().timeIntervalSince(start)
    }
    let alone = try seconds {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = ["-c", "for f in \(folder.file("in"))/*; do gzip -dc $f > /dev/null; done"]
      try shell.run()
      shell.waitUntilExit()
    }
    let reading = try seconds {
      let reader = try TextReader(paths: [folder.file("in")], options: .init())
      while try reader.next() != nil {}
    }
    #expect(reading < 3 * alone + 1)  // 50 ms of idling each were 5 s
  }
}
