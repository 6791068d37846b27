import Corpus
import Foundation
import Layers
import Platform
import TestSupport
import Testing
import Tokenization

/// Damaged files give an error, never a crash and never other examples.
@Suite(.serialized)
struct DamageTests {
  private let folder: TemporaryFolder
  private let files = ["train-00000.tokens", "heldout.tokens", "data.json", "vocab.txt"]

  init() throws {
    folder = try TemporaryFolder()
    let text = try folder.write(numberedText(documents: 40), "text.txt")
    try prepare(text, into: folder.file("data"), heldOut: 0.2)
  }

  /// All examples, or the error message.
  private func read() -> Result<[Batch], any Error> {
    Result {
      let data = try ShardSet(folder: folder.file("data"))
      try data.expect(length: 16)
      return [
        try data.batch(
          step: 0, sequences: 0..<data.trainCount, firstSample: 0, seed: 1),
        try data.heldOut(0..<data.heldOutCount, of: max(1, data.heldOutCount)),
      ]
    }
  }

  @Test
  func mutatedFilesAreRefusedOrTheSame() throws {
    let sound = try read().get()
    var random = Draws(state: 11)
    for round in 0..<Draws.mutationCount {
      let name = "data/" + files[round % files.count]
      let bytes = try folder.bytes(name)
      var damaged = bytes
      random.mutate(&damaged)
      try folder.write(damaged, name)
      switch read() {
      case .success(let examples): #expect(examples == sound, "round \(round), \(name)")
      case .failure(let error):
        #expect(
          error is CorpusError || error is TextError || error is TokenizationError
            || error is FileError,
          "round \(round): \(error)")
        #expect(!"\(error)".isEmpty)
      }
      try folder.write(bytes, name)
    }
  }

  @Test
  func shardsWithRightChecksumsAndWrongContentDoNotCrash() throws {
    let name = "data/train-00000.tokens"
    let sound = try folder.bytes(name)
    let table = sound.count - 20
    var random = Draws(state: 12)
    let size = try letterTokenizer().vocabulary.size
    var refused = 0
    for _ in 0..<2000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let offset = Int.random(in: 8..<sound.count, using: &random)
        bytes[offset] = UInt8.random(in: 0...255, using: &random)
      }
      sign(&bytes, 64..<table, at: table + 12)
      sign(&bytes, table..<table + 16, at: table + 16)
      sign(&bytes, 0..<60, at: 60)
      try folder.write(bytes, name)
      switch read() {
      case .success(let batches):
        #expect(batches[0].tokens.allSatisfy { 0 <= $0 && $0 < size })
        #expect(batches[0].lengths.allSatisfy { (1...16).contains($0) })
      case .failure(let error):
        #expect(error is CorpusError)
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  private func sign(_ bytes: inout [UInt8], _ range: Range<Int>, at offset: Int) {
    let checksum = bytes[range].withUnsafeBytes { CRC32C.of($0) }
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
    }
  }

  @Test
  func damageIsNamed() throws {
    let name = "data/train-00000.tokens"
    let path = folder.file(name)
    var bytes = try folder.bytes(name)
    bytes[100] ^= 1
    try folder.write(bytes, name)
    #expect(throws: CorpusError.damagedBlock(path: path, block: 0)) { try read().get() }
    bytes = try folder.bytes("data/heldout.tokens")
    try folder.write(bytes, name)
    #expect(throws: CorpusError.self) { try read().get() }
    bytes[8] = 2
    try folder.write(bytes, name)
    #expect("\(failure())".contains("version 2"))
    try folder.write("GIF89a" + String(repeating: " ", count: 100), name)
    #expect("\(failure())".contains("not a shard"))
  }

  @Test
  func anotherVersionAndAnotherVocabularyAreNamed() throws {
    let json = String(decoding: try folder.bytes("data/data.json"), as: UTF8.self)
    try folder.write(#"{"format_version": 7, "shards": []}"#, "data/data.json")
    #expect("\(failure())".contains("version 7"))
    try folder.write(json, "data/data.json")
    let vocabulary = try folder.bytes("data/vocab.txt")
    try folder.write(vocabulary + Array("zebra\n".utf8), "data/vocab.txt")
    #expect(throws: CorpusError.otherVocabulary(path: folder.file("data"))) { try read().get() }
  }

  private func failure() -> String {
    if case .failure(let error) = read() { "\(error)" } else { "" }
  }
}
