import Corpus
import Foundation
import Platform
import TestSupport
import Testing

struct TextReaderTests {
  /// The documents of these paths, each a list of lines.
  private func documents(
    _ paths: [String], _ options: TextReader.Options = .init(),
    validate policy: InvalidText = .stop
  ) throws -> [[String]] {
    let reader = try TextReader(paths: paths, options: options)
    var result: [[String]] = []
    while var block = try reader.next() {
      _ = try block.validate(policy)
      for lines in block.documents {
        result.append(
          block.lines[lines].map { String(decoding: block.bytes[$0.bytes], as: UTF8.self) })
      }
    }
    return result
  }

  private func expect(
    _ error: some Error & Equatable, _ paths: [String],
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: location) { try documents(paths) }
  }

  @Test
  func anArticleOfWikiExtractorIsADocument() throws {
    let folder = try TemporaryFolder()
    let text = """
      <doc id="1" url="https://w/1" title="One">
      One

      A &lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27; &amp;lt; &e.

      More <doc of it.

      </doc>
      <doc id="2" url="https://w/2" title="Two">
      Two
      </doc>

      """
    let path = try folder.write(text, "wiki_00")
    #expect(
      try documents([path]) == [
        ["One", "A <b> & \"c\" 'd' &lt; &e.", "More <doc of it."], ["Two"],
      ])
    let lines = try TextLines(path: path)
    var texts: [String] = []
    while let text = try lines.next() { texts.append(text) }
    let expected = ["One", "A <b> & \"c\" 'd' &lt; &e.", "More <doc of it.", "Two"]
    #expect(texts.filter { !$0.isEmpty } == expected)
    let plain = try folder.write("He wrote <doc id=\"1\">.\n\n</doc>\n", "plain.txt")
    #expect(try documents([plain]) == [["He wrote <doc id=\"1\">."], ["</doc>"]])
  }

  @Test
  func repeatedFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("one", "in/1.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: path)
    for (paths, repeated) in [
      ([folder.file("in"), folder.file("link")], [folder.file("link")]),
      ([path, path, path], [path, path]), ([path, try folder.write("one", "in/2.txt")], []),
    ] {
      let reader = try TextReader(paths: paths, options: .init())
      #expect(reader.remarks.repeatedFiles == repeated)
    }
  }

  @Test
  func blankLinesAndTheEndOfAFileEndDocuments() throws {
    let folder = try TemporaryFolder()
    let first = try folder.write("\n\none\ntwo\n \t\r\nthree\n\n", "1.txt")
    let second = try folder.write("four", "2.txt")
    #expect(try documents([first, second]) == [["one", "two"], ["three"], ["four"]])
    let whole = TextReader.Options(fileIsDocument: true)
    #expect(try documents([first, second], whole) == [["one", "two", "three"], ["four"]])
    let lines = [#"{"text": "one\n\ntwo"}"#, #"{"text": "three"}"#]
    let objects = try folder.write(lines.joined(separator: "\n"), "a.jsonl")
    #expect(try documents([objects, second], whole) == [["one", "two", "three"], ["four"]])
  }

  @Test(arguments: ["gzip", "xz"])
  func packedFilesAreUnpacked(program: String) throws {
    let folder = try TemporaryFolder()
    let text = numberedText(documents: 3000)
    let plain = try folder.write(text, "plain.txt")
    try folder.write(text, "packed.txt")
    try folder.pack("packed.txt", with: program)
    let name = "packed.txt." + (program == "xz" ? "xz" : "gz")
    #expect(try documents([folder.file(name)]) == documents([plain]))

    try folder.write(Array(try folder.bytes(name).dropLast(40)), "cut-" + name)
    expect(
      TextError.decompressionFailed(
        path: folder.file("cut-" + name), program: program,
        reason: "the file is damaged or cut short (exit status 1)"), [folder.file("cut-" + name)])
  }

  @Test
  func objectsAreDocuments() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"{"id": 1, "text": "one\n \ntwo \u00e9"}"# + "\n\n" + #"{"text": "three"}"#, "a.jsonl")
    #expect(try documents([path]) == [["one", "two é"], ["three"]])
    let long = String(repeating: "many words ", count: 600_000)
    let large = try folder.write(#"{"text": ""# + long + "\"}\n", "large.jsonl")
    #expect(try documents([large]) == [[long]])
    let folderName = try folder.write("{plain", "name.jsonl.d/text.txt")
    #expect(try documents([folderName]) == [["{plain"]])
  }

  @Test(
    arguments: [
      ("{", .notJSON), ("[1]", .notJSON), (#"{"text": "a"} {"text": "b"}"#, .notJSON),
      (#"{"txt": "a", "n": 1}"#, .noField("text", fields: ["txt", "n"])),
      (#"{"text": 5}"#, .notAString("text")), (#"{"text": null}"#, .notAString("text")),
      (#"{"text": "a \ud83d b"}"#, .loneSurrogate("text", escape: #"\ud83d"#)),
      (#"{"text": "a \udc00"}"#, .loneSurrogate("text", escape: #"\udc00"#)),
      ("{\"text\": \"\0\"}", .binary),
    ] as [(String, LineProblem)])
  func objectsWithoutTextAreNamed(line: String, problem: LineProblem) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("\n{\"text\": \"a\"}\n\(line)\n{\"text\": \"b\"}\n", "a.jsonl")
    expect(CorpusError.badLine(path: path, line: 3, problem: problem, canSkip: true), [path])
    let skipping = TextReader.Options(invalidText: .skip)
    #expect(try documents([path], skipping, validate: .skip) == [["a"], [""], ["b"]])
  }

  @Test
  func foldersAreReadInOrderWithoutHiddenFiles() throws {
    let folder = try TemporaryFolder()
    for name in ["b.txt", "a/2.txt", "a/1.txt", ".hidden", "a/.git/x", "c.txt"] {
      try folder.write(name, "in/" + name)
    }
    #expect(
      try documents([folder.file("in")]) == [["a/1.txt"], ["a/2.txt"], ["b.txt"], ["c.txt"]])
    try FileManager.default.createDirectory(
      atPath: folder.file("none"), withIntermediateDirectories: true)
    expect(CorpusError.noText(inputs: folder.file("none")), [folder.file("none")])
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/a/loop"), withDestinationPath: folder.file("in"))
    expect(
      FileError.unreadable(
        path: folder.file("in") + "/a/loop", reason: "it is a link to a folder that contains it"),
      [folder.file("in")])
  }

  /// A file system may list them in any order.
  @Test
  func namesThatAreEqualStringsAreReadInTheOrderOfTheirBytes() throws {
    let folder = try TemporaryFolder()
    for index in 0..<8 {
      let marks = (0..<3).map { index >> $0 & 1 == 0 ? "e\u{301}" : "\u{E9}" }.joined()
      let file = try #require(fopen(folder.file(marks), "w"))
      fputs("\(index)", file)
      fclose(file)
    }
    // The lowest bit is the first letter; decomposed letters come before composed ones.
    let expected = ["0", "4", "2", "6", "1", "5", "3", "7"]
    #expect(try documents([folder.path]).flatMap(\.self) == expected)
  }

  /// A pipe without a writer would block forever.
  @Test
  func aPipeInAFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("a", "in/a.txt")
    try #require(mkfifo(folder.file("in/pipe"), 0o600) == 0)
    expect(
      FileError.unreadable(
        path: folder.file("in") + "/pipe", reason: "it is neither a file nor a folder"),
      [folder.file("in")])
  }

  @Test
  func filesThatAreNoTextAreNamed() throws {
    let folder = try TemporaryFolder()
    let sound = try folder.write("sound\n", "sound.txt")
    let absent = folder.file("absent.txt")
    let reason = "there is no such file or folder"
    expect(FileError.unreadable(path: absent, reason: reason), [sound, absent])
    let link = folder.file("self")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: link)
    expect(
      FileError.unreadable(path: link, reason: "Too many levels of symbolic links"), [sound, link])
    let empty = try folder.write("", "empty.txt")
    let blank = try folder.write("\n  \n", "blank.txt")
    expect(CorpusError.emptyFile(path: empty), [sound, empty])
    expect(CorpusError.emptyFile(path: blank), [blank, sound])
    let reader = try TextReader(
      paths: [empty, sound, blank], options: .init(invalidText: .skip))
    while try reader.next() != nil {}
    #expect(reader.remarks.skippedFiles == 2)
    let binary = try folder.write([0x61, 0x0A, 0x62, 0x00], "binary")
    expect(
      CorpusError.badLine(path: binary, line: 2, problem: .binary, canSkip: true), [sound, binary])
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xC3], [0x80], [0xE2, 0x82, 0x41],
    ] as [[UInt8]])
  func illFormedTextIsNamed(bytes: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("a\n\nb".utf8) + bytes + Array("\nc é 語 😀\n".utf8), "x.txt")
    let problem = LineProblem.notUTF8(byte: bytes[0], position: 2)
    expect(CorpusError.badLine(path: path, line: 3, problem: problem, canSkip: true), [path])
    #expect(try documents([path], validate: .skip) == [["a"], ["", "c é 語 😀"]])
  }

  @Test(arguments: ["語", "😀", "word "])
  func aLineLargerThanMemoryIsCutBetweenCharacters(piece: String) throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: piece, count: 9_000_001 / piece.utf8.count)
    var bytes = Array("first\nx\(long)\n".utf8)
    bytes += [0xFF, 0x0A]
    let path = try folder.write(bytes, "long.txt")
    let found = try documents([path], validate: .skip)
    #expect(found.joined().joined() == "firstx" + long)
    #expect(found.count == 2)  // cut where 4 MB are passed
    let problem = LineProblem.notUTF8(byte: 0xFF, position: 1)
    expect(CorpusError.badLine(path: path, line: 3, problem: problem, canSkip: true), [path])
  }

  /// A pipe delivers fewer bytes at a time than a file.
  @Test
  func aLongLineOfACompressedFileIsCutAtTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let text = "first\n" + String(repeating: "word ", count: 2_000_000) + "\n"
    let plain = try folder.write(text, "plain.txt")
    try folder.write(text, "packed.txt")
    try folder.pack("packed.txt", with: "gzip")
    #expect(try documents([folder.file("packed.txt.gz")]) == documents([plain]))
  }

  @Test
  func theByteThatIsWrongIsCountedFromTheBeginningOfItsLine() throws {
    let folder = try TemporaryFolder()
    var bytes = Array(("one\n" + String(repeating: "word ", count: 1_200_000)).utf8)
    bytes += [0xE9, 0x0A]
    let path = try folder.write(bytes, "long.txt")
    let problem = LineProblem.notUTF8(byte: 0xE9, position: 6_000_001)
    expect(CorpusError.badLine(path: path, line: 2, problem: problem, canSkip: true), [path])
  }

  @Test(
    arguments: [
      "\u{3000}", "\u{A0}", "\u{2003}\u{2028}", "\u{85}\u{1680}", "\u{1C}\t", " \u{205F}\u{202F}",
    ])
  func linesThatPythonStripsToNothingEndDocuments(blank: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("one\n\(blank)\ntwo\r\n\(blank)\r\nthree \(blank)x\n", "a.txt")
    #expect(try documents([path]) == [["one"], ["two\r"], ["three \(blank)x"]])
  }

  @Test(arguments: ["\u{200B}", "\u{FEFF}", "\u{3001}", "\u{2010}"])
  func otherLinesWithoutWordsDoNotEndDocuments(line: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("one\n\(line)\ntwo\n", "a.txt")
    #expect(try documents([path]) == [["one", line, "two"]])
  }
}
