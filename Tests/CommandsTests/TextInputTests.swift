import Foundation
import TestSupport
import Testing

/// Typical text files of users: every command detects the format of a file by its contents.
struct TextInputTests {
  private static let documents = [
    ["the river runs past the garden", "a bridge stands there"], ["bread and winter markets"],
    ["silver lanterns", "letters", "the quiet harbour"],
  ]
  private static let letters = "abcdefghijklmnopqrstuvwxyz".map { String($0) }

  /// A folder with a vocabulary of letters and the same documents in `plain.txt`, `rows.jsonl` and
  /// so on.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    try folder.write(
      (special + Self.letters + Self.letters.map { "##" + $0 }).joined(separator: "\n"),
      "vocab.txt")
    let texts = Self.documents.map { $0.joined(separator: "\n") }
    try folder.write(texts.joined(separator: "\n\n") + "\n", "plain.txt")
    try folder.write(texts.joined(separator: "\n\u{3000}\n") + "\n", "separators.txt")
    let rows = { (field: String) in
      texts.enumerated().map { number, text in
        "{\"id\": \(number), \"\(field)\": \"\(text.replacing("\n", with: "\\n"))\", \"score\": 1e400}"
      }
    }
    let lines = rows("text").joined(separator: "\n") + "\n"
    for name in ["rows.jsonl", "rows.ndjson", "rows.JSONL", "rows.txt"] {
      try folder.write(lines, name)
    }
    try folder.write(rows("content").joined(separator: "\n"), "content.jsonl")
    try folder.write("[" + rows("text").joined(separator: ",\n") + "]", "list.json")
    for (name, content) in [("rows.json", lines), ("UPPER.TXT", texts.joined(separator: "\n\n"))] {
      try folder.write(content, name)
      try folder.pack(name, with: "gzip")
    }
    try FileManager.default.moveItem(
      atPath: folder.file("UPPER.TXT.gz"), toPath: folder.file("UPPER.TXT.GZ"))
    let packed = try folder.bytes("UPPER.TXT.GZ")
    try folder.write(packed, "really-gz.txt")
    try folder.write(packed + Array("trailing bytes".utf8), "garbage.txt.gz")
    return folder
  }

  private func run(
    _ arguments: [String], in folder: TemporaryFolder, input: String = ""
  ) throws -> Program.Result {
    try Program.run(arguments, input: input, in: folder.path)
  }

  private func prepare(_ text: String, as name: String, _ options: String...) -> [String] {
    [
      "prepare", text, "--vocabulary", "vocab.txt", "--output", name, "--held-out", "0",
      "--length", "16",
    ] + options
  }

  @Test
  func allFormsOfATextGiveTheSameShards() throws {
    let folder = try folder()
    let forms = [
      "rows.jsonl", "rows.ndjson", "rows.JSONL", "rows.txt", "rows.json.gz", "list.json",
      "UPPER.TXT.GZ", "really-gz.txt", "garbage.txt.gz", "separators.txt",
    ]
    for name in ["plain.txt"] + forms {
      let result = try run(prepare(name, as: "data-" + name), in: folder)
      #expect(result.status == 0, "\(name): \(result.errors)")
      let isWarned = result.errors.contains("gzip warns of bytes after the compressed data")
      #expect(isWarned == (name == "garbage.txt.gz"), "\(result.errors)")
    }
    let named = try run(
      prepare("content.jsonl", as: "data-named", "--field", "content"), in: folder)
    #expect(named.status == 0, "\(named.errors)")
    let lines = try run(
      prepare("-", as: "data-lines"), in: folder, input: try folder.text("rows.jsonl"))
    #expect(lines.status == 0, "\(lines.errors)")
    let piped = try Program.shell(
      "cat really-gz.txt | \"$0\" \"$@\"", [Program.path] + prepare("-", as: "data-piped"),
      in: folder.path)
    #expect(piped.status == 0, "\(piped.errors)")
    let shard = try folder.bytes("data-plain.txt/train-00000.tokens")
    for name in forms + ["named", "lines", "piped"] {
      #expect(try folder.bytes("data-\(name)/train-00000.tokens") == shard, "\(name)")
    }
  }

  @Test
  func otherVerbsReadTheSameForms() throws {
    let folder = try folder()
    let arguments = ["tokenize", "--vocabulary", "vocab.txt"]
    let texts = Self.documents.map { $0.joined(separator: " ") + "\n" }.joined()
    let ids = try run(arguments, in: folder, input: texts).output
    for name in ["rows.jsonl", "rows.txt", "rows.json.gz", "list.json"] {
      let result = try run(arguments + [name], in: folder)
      #expect(result.output == ids, "\(name): \(result.errors)")
      let made = try run(
        ["vocabulary", name, "--size", "60", "--output", name + ".vocab"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let timed = try run(
        ["benchmark", "tokenizer", name, "--vocabulary", "vocab.txt", "--rounds", "1", "--json"],
        in: folder)
      #expect(
        timed.output.contains("\"tokens\":\(ids.split(whereSeparator: \.isWhitespace).count)"))
    }
    let plain = try run(arguments + ["plain.txt"], in: folder).output
    for name in ["really-gz.txt", "UPPER.TXT.GZ", "garbage.txt.gz"] {
      #expect(try run(arguments + [name], in: folder).output == plain)
    }
    let vocabularies = ["rows.txt", "rows.json.gz", "list.json"].map { $0 + ".vocab" }
    let first = try folder.bytes("rows.jsonl.vocab")
    for name in vocabularies { #expect(try folder.bytes(name) == first) }
  }

  @Test
  func detectReadsTheSameForms() throws {
    let folder = try exportedModels()
    try folder.write("ba ko\nli mu\n", "a.txt")
    try folder.write(
      #"[{"body": "ba ko"}, {"body": "li mu"}]"#, "a.json")
    let detect = ["detect", "--from", "discriminator", "--json"]
    let plain = try run(detect + ["a.txt"], in: folder)
    let list = try run(detect + ["a.json", "--field", "body"], in: folder)
    #expect(plain.output.split(separator: "\n").count == 2 && list.output == plain.output)
    try folder.write(try #require("ba ko\n".data(using: .utf16)), "utf16.txt")
    let refused = try run(detect + ["utf16.txt"], in: folder)
    #expect(refused.status == 65 && refused.errors.contains("iconv -f UTF-16"))
  }

  @Test
  func whatCannotBeReadIsNamedByEveryVerb() throws {
    let folder = try folder()
    try folder.write(try #require("The river.\n".data(using: .utf16)), "utf16.txt")
    try folder.write([0x04, 0x22, 0x4D, 0x18, 0x60, 0x70, 0x73], "old.lz4")
    try folder.write(Array("Żółw\n".utf8) + [0xC5, 0x0A], "cut.txt")
    try folder.write("{\"text\": \"half \\ud83d\"}\n", "lone.jsonl")
    for (name, says) in [
      ("utf16.txt", "is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8 < utf16.txt"),
      ("old.lz4", "is compressed with lz4; decompress it first: lz4 -dc < old.lz4 > NEW"),
      ("cut.txt", "cut.txt, line 2: byte 1 (0xC5) is not UTF-8"),
      (
        "lone.jsonl",
        "lone.jsonl, line 1: the field \"text\" holds \\ud83d, half of a surrogate pair"
      ),
      (
        "content.jsonl",
        "the object has no field \"text\" but \"id\", \"content\", \"score\"; name the"
      ),
    ] {
      for verb in [
        prepare(name, as: "data"), ["vocabulary", name, "--output", "new.txt"],
        ["tokenize", "--vocabulary", "vocab.txt", name],
        ["benchmark", "tokenizer", "--vocabulary", "vocab.txt", name],
      ] {
        let result = try run(verb, in: folder)
        #expect(result.status == 65 && result.errors.contains(says), "\(result.errors)")
        let canSkip = ["prepare", "vocabulary"].contains(verb[0])
        #expect(result.errors.contains("--invalid-text") == canSkip, "\(result.errors)")
      }
    }
  }

  /// Compressed files are known by their content, whatever their names are.
  @Test(arguments: ["gzip", "xz", "zstd -q", "bzip2"])
  func compressedTextIsText(program: String) throws {
    let folder = try folder()
    let compressed = try Program.shell(
      "\(program) < plain.txt > \"a file\" && \(program) < rows.jsonl > rows.jsonl.z", [],
      in: folder.path)
    #expect(compressed.status == 0, "\(compressed.errors)")
    for (name, original) in [("a file", "plain.txt"), ("rows.jsonl.z", "rows.jsonl")] {
      let output = original + ".data"
      try runAll([prepare(original, as: output), prepare(name, as: name + ".data")], in: folder)
      for file in try folder.names(output) {
        #expect(try folder.bytes("\(name).data/\(file)") == folder.bytes("\(output)/\(file)"))
      }
    }
  }

  @Test
  func aDamagedCompressedFileIsNamed() throws {
    let folder = try folder()
    try folder.write([0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x64, 0x65], "pile.jsonl.zst")
    try folder.write(Array("BZh91AY&SY".utf8) + [0, 1, 2], "dump.txt.bz2")
    for (name, program) in [("pile.jsonl.zst", "zstd"), ("dump.txt.bz2", "bzip2")] {
      let result = try run(prepare(name, as: "data"), in: folder)
      let says = "\(program) could not decompress \(name): the file is damaged or cut short"
      #expect(result.status == 65 && result.errors.contains(says), "\(result.errors)")
    }
  }

  @Test
  func objectsWithoutTextCanBeSkippedAndAreCounted() throws {
    let folder = try folder()
    let rows = [#"{"text": "good"}"#, #"{"text": "half \ud83d"}"#, #"{"t": 1}"#, #"{"text": "b"}"#]
    try folder.write(rows.joined(separator: "\n"), "rows.jsonl")
    let prepared = try run(
      prepare("rows.jsonl", as: "data", "--invalid-text", "skip"), in: folder)
    #expect(prepared.output.contains("2 invalid lines skipped"), "\(prepared.errors)")
    let trained = try run(
      ["vocabulary", "rows.jsonl", "--output", "new.txt", "--invalid-text", "skip"], in: folder)
    #expect(trained.errors.contains("2 invalid lines skipped"))
  }

  @Test
  func textThatIsReadButHardlyMeantIsWarnedOf() throws {
    let folder = try folder()
    try folder.write("the [MASK] and [SEP]\n\nare words", "special.txt")
    try folder.write("речка river\n", "unknown.txt")
    for (name, says) in [
      ("special.txt", "the text contains 2 names of special tokens"),
      ("unknown.txt", "16.7 % of the tokens are [UNK]"),
    ] {
      let result = try run(prepare(name, as: "data-" + name), in: folder)
      #expect(result.status == 0 && result.errors.contains(says), "\(result.errors)")
    }
    let plain = try run(prepare("plain.txt", as: "data"), in: folder)
    #expect(!plain.errors.contains("electra: "), "\(plain.errors)")
  }

  @Test
  func theAlphabetCoversItsTextOrIsNamed() throws {
    let folder = try folder()
    // 3,000 ideographs, of which the first hundred are common.
    let text = (0..<3000).map { number in
      let scalars = [number, number % 100, number * 7 % 100].map { Unicode.Scalar(0x4E00 + $0) }
      return String(String.UnicodeScalarView(scalars.compactMap(\.self))) + "。"
    }
    try folder.write(text.joined(separator: "\n"), "chinese.txt")
    let vocabulary = ["vocabulary", "chinese.txt", "--size", "4000", "--output"]
    let whole = try run(vocabulary + ["whole.txt"], in: folder)
    #expect(!whole.errors.contains("unknown"), "\(whole.errors)")
    let cut = try run(vocabulary + ["cut.txt", "--alphabet", "1000"], in: folder)
    #expect(
      cut.errors.contains("the text has no more with an alphabet of 1000 characters"),
      "\(cut.errors)")
    #expect(cut.errors.contains("of the words are unknown to this vocabulary"), "\(cut.errors)")
    #expect(cut.errors.contains("raise --alphabet, or omit it"), "\(cut.errors)")
    let prepared = try run(
      [
        "prepare", "chinese.txt", "--vocabulary", "cut.txt", "--output", "data", "--held-out", "0",
      ], in: folder)
    #expect(prepared.errors.contains("of the tokens are [UNK]"), "\(prepared.errors)")
  }

  @Test
  func wordsAboveAHundredCharactersAreCounted() throws {
    let folder = try folder()
    let long = String(repeating: "x", count: 101)
    try folder.write("the river \(long) \(long) \(long.dropLast())\n", "long.txt")
    let result = try run(["vocabulary", "long.txt", "--output", "new.txt"], in: folder)
    #expect(result.errors.contains("2 words have more than 100 characters"), "\(result.errors)")
  }

  @Test
  func aThreadThatCannotBeStartedEndsTheVerb() throws {
    let folder = try folder()
    let limits = "ulimit -s 1000000000"  // stacks of 1 TB: a few hundred fit into the address space
    for verb in [
      prepare("plain.txt", as: "data", "--threads", "1000"),
      ["vocabulary", "plain.txt", "--output", "new.txt", "--threads", "1000"],
    ] {
      let result = try Program.run(
        verb, environment: ["OPENBLAS_NUM_THREADS": "1"], limits: limits, in: folder.path)
      #expect(result.status == 71, "\(result.errors)")
      #expect(result.errors.contains("cannot start a thread"), "\(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("data")))
  }
}
