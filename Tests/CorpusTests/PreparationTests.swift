import Corpus
import Foundation
import Layers
import Platform
import TestSupport
import Testing
import Tokenization

struct PreparationTests {
  @Test
  func threadsDoNotChangeABit() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write(numberedText(documents: 60_000), "text.txt")
    for threads in 1...3 {
      try prepare(text, into: folder.file("\(threads)"), heldOut: 0.02, threads: threads)
    }
    let names = try folder.names("1")
    #expect(names == ["data.json", "heldout.tokens", "train-00000.tokens", "vocab.txt"])
    for name in names {
      let bytes = try folder.bytes("1/" + name)
      #expect(try folder.bytes("2/" + name) == bytes)
      #expect(try folder.bytes("3/" + name) == bytes)
    }
  }

  @Test
  func theReportCountsEverything() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("w1 w2 w3.\nw4 w5\n\nw6 é?\n\n", "text.txt")
    let report = try prepare(text, into: folder.file("data")).report
    #expect(report.documents == 2 && report.sentences == 3)
    #expect(report.tokens == 9 && report.unknownTokens == 1 && report.droppedTokens == 0)
    #expect(report.examples == 2 && report.heldOutExamples == 0)
    #expect(report.lengths.reduce(0, +) == 2)
    #expect(try ShardSet(folder: folder.file("data")).description.report == report)
  }

  @Test
  func documentsAreHeldOutWhole() throws {
    let folder = try TemporaryFolder()
    // Each document repeats one word.
    let documents = (0..<1000).map { String(repeating: "w\($0) w\($0) w\($0)\n", count: 12) }
    let text = try folder.write(documents.joined(separator: "\n"), "text.txt")
    let report = try prepare(text, into: folder.file("data"), heldOut: 0.2).report
    #expect(abs(report.heldOutDocuments - 200) < 60)
    let data = try ShardSet(folder: folder.file("data"))
    #expect(data.trainCount == report.examples && data.heldOutCount == report.heldOutExamples)
    var train: Set<Int32> = []
    try data.forEachTrainingExample { train.formUnion($0) }
    let heldOut = Set(try data.heldOut(0..<data.heldOutCount, of: data.heldOutCount).tokens)
    let special = data.vocabulary.special
    #expect(train.intersection(heldOut) == [special.classification, special.separator])
    #expect(train.union(heldOut).count == 1002 && heldOut.count == report.heldOutDocuments + 2)
  }

  @Test
  func aSplitOfNoDocumentIsRefused() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("w1 w2\n", "text.txt")
    #expect(throws: CorpusError.emptyHeldOut(documents: 1, fraction: 0.01)) {
      try prepare(text, into: folder.file("data"), heldOut: 0.01)
    }
    #expect(try folder.names() == ["text.txt"])
  }

  @Test
  func nothingIsLeftBehindByAFailure() throws {
    let folder = try TemporaryFolder()
    let bytes = Array(numberedText(documents: 30_000).utf8) + [0xFF, 0x0A]
    let text = try folder.write(bytes, "text.txt")
    #expect(throws: badByte(text, line: 120_000)) {
      try prepare(text, into: folder.file("data"))
    }
    #expect(try folder.names() == ["text.txt"])
    #expect(
      try prepare(text, into: folder.file("data"), invalidText: .skip).report.invalidLines == 1)
    let bad = try folder.write([0xFF], "bad.txt")
    #expect(throws: CorpusError.noText(inputs: "the input")) {
      try prepare(bad, into: folder.file("bad"), invalidText: .skip)
    }
  }

  @Test
  func theFirstErrorInTheTextIsReported() throws {
    let folder = try TemporaryFolder()
    let bad = try folder.write(Array("w1\n".utf8) + [0xFF, 0x0A, 0x00, 0x0A], "in/1.txt")
    try folder.write("", "in/2.txt")
    for threads in 1...3 {
      #expect(throws: badByte(bad, line: 2)) {
        try prepare(folder.file("in"), into: folder.file("data"), threads: threads)
      }
    }
  }

  /// `evaluate --text` has no --invalid-text.
  @Test
  func examplesInMemoryAreNotSkippedSoNoErrorAdvisesIt() throws {
    let folder = try TemporaryFolder()
    let preparation = Preparation(
      tokenizer: try letterTokenizer(), maximumLength: 16, heldOutFraction: 0, invalidText: .stop,
      seed: 1, threads: 2)
    for (name, bytes) in [
      ("blank.txt", Array(" \n".utf8)), ("bytes.txt", [0x61, 0x0A, 0xFF]),
      ("packed.lz4", [0x04, 0x22, 0x4D, 0x18]), ("a.jsonl", Array("{}\n".utf8)),
    ] as [(String, [UInt8])] {
      let reader = try TextReader(paths: [try folder.write(bytes, name)], options: .init())
      let error = #expect(throws: (any Error).self) { try preparation.examples(of: reader) }
      let sentence = "\(try #require(error))"
      #expect(sentence.contains(name) && !sentence.contains("--invalid-text"), "\(sentence)")
    }
  }

  @Test
  func whatStandsThereStays() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("w1 w2\n", "text.txt")
    try folder.write("mine", "full/notes.txt")
    #expect(throws: FileError.exists(path: folder.file("full"))) {
      try prepare(text, into: folder.file("full"))
    }
    #expect(try folder.names() == ["full", "text.txt"])
  }

  @Test
  func anEmptyFolderGivesWay() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("w1 w2\n", "text.txt")
    try FileManager.default.createDirectory(
      atPath: folder.file("data"), withIntermediateDirectories: true)
    try prepare(text, into: folder.file("data/"))
    try prepare(text, into: folder.file("new/deeper/"))
    #expect(try folder.names() == ["data", "new", "text.txt"])
    #expect(try ShardSet(folder: folder.file("data/")).trainCount == 1)
    #expect(try folder.names("new") == ["deeper"])
  }

  private func badByte(_ path: String, line: Int) -> CorpusError {
    .badLine(
      path: path, line: line, problem: .notUTF8(byte: 0xFF, position: 1), canSkip: true)
  }

  @Test
  func namesOfSpecialTokensAreCounted() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("w1 [MASK] w2 [SEP].\n[CLS][PAD] [UNK] [mask]\n", "text.txt")
    let report = try prepare(text, into: folder.file("data")).report
    #expect(report.literalSpecialTokens == 4)
    let plain = try folder.write("w1 w2\n", "plain.txt")
    #expect(try prepare(plain, into: folder.file("plain")).report.literalSpecialTokens == nil)
    #expect(try !folder.text("plain/data.json").contains("literal"))
  }
}
