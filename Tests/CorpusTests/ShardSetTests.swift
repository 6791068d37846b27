import Corpus
import Foundation
import Layers
import Platform
import TestSupport
import Testing
import Tokenization

struct ShardSetTests {
  /// Two full blocks and a partial one, with unique examples, and held-out examples.
  private func data(_ folder: TemporaryFolder) throws -> ShardSet {
    let text = (0..<9500).map { "w\($0 % 1000) w\($0 / 1000) word" }.joined(separator: "\n\n")
    try prepare(try folder.write(text, "text.txt"), into: folder.file("data"), heldOut: 0.05)
    let data = try ShardSet(folder: folder.file("data"))
    #expect(data.trainCount > 8192 && data.trainCount % 4096 != 0)
    return data
  }

  private func epoch(_ epoch: Int, of data: ShardSet, seed: UInt64) throws -> [[Int32]] {
    let count = data.trainCount
    let batch = try data.batch(
      step: 0, sequences: 0..<count, firstSample: epoch * count, seed: seed)
    #expect(batch.sequenceCount == count)
    return batch.ranges.map { Array(batch.tokens[$0]) }
  }

  @Test
  func everyExampleComesOnceAnEpoch() throws {
    let folder = try TemporaryFolder()
    let data = try data(folder)
    var all: [[Int32]] = []
    try data.forEachTrainingExample { all.append(Array($0)) }
    #expect(Set(all).count == all.count && all.count == data.trainCount)
    var orders: [[[Int32]]] = [all]
    for (number, seed) in [(0, 1), (1, 1), (2, 1), (0, 2)] as [(Int, UInt64)] {
      let order = try epoch(number, of: data, seed: seed)
      #expect(Set(order) == Set(all))
      #expect(!orders.contains(order))
      orders.append(order)
    }
  }

  @Test
  func blocksOfAPartAreSpreadEvenly() throws {
    let folder = try TemporaryFolder()
    let data = try data(folder)
    var all: [[Int32]] = []
    try data.forEachTrainingExample { all.append(Array($0)) }
    for (blocks, expected) in [(1, [0..<4096]), (2, [0..<4096, 4096..<8192])] {
      var part: [[Int32]] = []
      try data.forEachTrainingExample(ofBlocks: blocks) { part.append(Array($0)) }
      #expect(part == expected.flatMap { all[$0] })
    }
    var whole: [[Int32]] = []
    try data.forEachTrainingExample(ofBlocks: 3) { whole.append(Array($0)) }
    #expect(whole == all)
  }

  @Test
  func examplesStayInTheirBlockSoThatFilesAreReadInRuns() throws {
    let folder = try TemporaryFolder()
    let data = try data(folder)
    var block: [[Int32]: Int] = [:]
    try data.forEachTrainingExample { block[Array($0)] = block.count / 4096 }
    let visited = try epoch(3, of: data, seed: 1).map { block[$0] }
    #expect(zip(visited, visited.dropFirst()).count { $0 != $1 } == 2)
  }

  @Test
  func aBatchIsTheSameHoweverItIsCut() throws {
    let folder = try TemporaryFolder()
    let data = try data(folder)
    // A step that crosses the end of an epoch.
    let step = data.trainCount / 48
    let whole = try data.batch(step: step, sequences: 0..<48, firstSample: 48 * step, seed: 9)
    #expect(whole.step == step && whole.firstSequence == 0)
    var tokens: [Int32] = []
    var segmentIDs: [UInt8] = []
    for range in [0..<1, 1..<30, 30..<48] {
      let part = try data.batch(step: step, sequences: range, firstSample: 48 * step, seed: 9)
      #expect(part.firstSequence == range.lowerBound && part.sequenceCount == range.count)
      tokens += part.tokens
      segmentIDs += part.segmentIDs
    }
    #expect(tokens == whole.tokens && segmentIDs == whole.segmentIDs)
  }

  @Test
  func segmentsComeBackAsTheyWereBuilt() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write(numberedText(documents: 500), "text.txt")
    try prepare(text, into: folder.file("data"))
    let data = try ShardSet(folder: folder.file("data"))
    let separator = data.vocabulary.special.separator
    let batch = try data.batch(
      step: 0, sequences: 0..<data.trainCount, firstSample: 0, seed: 1)
    #expect(batch.segmentIDs.contains(1))
    for range in batch.ranges {
      let tokens = batch.tokens[range]
      let first = tokens.firstIndex(of: separator) ?? range.upperBound
      #expect(range.allSatisfy { batch.segmentIDs[$0] == ($0 <= first ? 0 : 1) })
      #expect(tokens.last == separator)
    }
  }

  @Test
  func theHeldOutSubsetIsSpreadAndFixed() throws {
    let folder = try TemporaryFolder()
    let data = try data(folder)
    let some = try data.heldOut(0..<40, of: 40)
    #expect(
      try data.heldOut(10..<20, of: 40).tokens
        == some.ranges[10..<20].flatMap {
          some.tokens[$0]
        })
    #expect(Set(some.ranges.map { Array(some.tokens[$0]) }).count == 40)
  }

  @Test
  func whatIsNotThereIsRefused() throws {
    let folder = try TemporaryFolder()
    try prepare(try folder.write("w1 w2\n", "text.txt"), into: folder.file("data"))
    let path = folder.file("data")
    let data = try ShardSet(folder: path)
    try data.expect(length: 16)
    for length in [8, 32] {
      #expect(throws: CorpusError.otherLength(wanted: length, prepared: 16, path: path)) {
        try data.expect(length: length)
      }
    }
    #expect(throws: CorpusError.tooFew(path: path, split: "held-out")) {
      try data.heldOut(0..<1, of: 1)
    }
    #expect(throws: FileError.self) { try ShardSet(folder: folder.file("nowhere")) }
    // A folder in place of the file stands for one that exists and cannot be read.
    let unreadable = folder.file("other/data.json")
    try FileManager.default.createDirectory(atPath: unreadable, withIntermediateDirectories: true)
    #expect(throws: FileError.unreadable(path: unreadable, reason: "Is a directory")) {
      try ShardSet(folder: folder.file("other"))
    }
  }

  /// The resident memory of the mapped shards of `folder`, in bytes.
  private func held(_ folder: TemporaryFolder) throws -> Int {
    // A file in /proc has no size, and only a file handle reads it to its end.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
    let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
    var (isShard, bytes) = (false, 0)
    for line in maps.split(separator: "\n") {
      if line.contains(".tokens") { isShard = line.contains(folder.path) }
      if isShard && line.hasPrefix("Rss:") {
        bytes += 1024 * (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
        isShard = false
      }
    }
    return bytes
  }

  /// Reading a whole set keeps only a few blocks in memory.
  @Test
  func onlyTheBlocksReadLastStayInMemory() throws {
    let folder = try TemporaryFolder()
    let filler = String(repeating: " word", count: 11)
    let text = (0..<90_000).map { "w\($0 % 1000) w\($0 / 1000)" + filler }
    try prepare(
      try folder.write(text.joined(separator: "\n\n"), "text.txt"), into: folder.file("data"),
      length: 48)
    let data = try ShardSet(folder: folder.file("data"))
    let size = try folder.bytes("data/train-00000.tokens").count
    #expect(data.trainCount > 20 * 4096 && size > 5_000_000)
    var (tokens, most) = (0, 0)
    for step in 0..<data.trainCount / 4096 {
      let batch = try data.batch(
        step: step, sequences: 0..<4096, firstSample: 4096 * step, seed: 1)
      tokens += batch.tokenCount
      most = max(most, try held(folder))
    }
    #expect(tokens > 2_000_000)
    #expect(most > 100_000 && most < size / 2, "\(most) of \(size) bytes")
  }
}
