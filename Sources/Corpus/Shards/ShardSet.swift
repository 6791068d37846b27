import Foundation
import Layers
import Platform
import Synchronization
import Tensors
import Tokenization

/// A folder of prepared data, opened for training.
///
///     let data = try ShardSet(folder: "data")
///     let batch = try data.batch(step: 7, sequences: 0..<16, firstSample: 7 * 128, seed: 1)
///
/// Sample g of a run is a function of the seed and g only. Every epoch visits every example exactly
/// once: the blocks in a random order, and the examples of each block in a random order. The orders
/// are keyed permutations, computed on demand, so no table is stored. Opening reads only headers
/// and block tables, and only the most recently used blocks stay in memory.
package final class ShardSet: Sendable {
  package let folder: String
  package let description: DataDescription
  package let vocabulary: Vocabulary
  /// The tokenizer of `tokenizer.json`; nil if vocabulary and normalization define it.
  private let storedTokenizer: Tokenizer?
  private let train: Split
  private let heldOut: Split

  /// Opens a folder; throws `FileError` or `CorpusError` if its files are missing or inconsistent.
  package init(folder: String) throws {
    self.folder = folder
    description = try DataDescription(folder: folder)
    let hasFile = FileManager.default.fileExists(atPath: folder + "/tokenizer.json")
    storedTokenizer = hasFile ? try Tokenizer(folder: folder) : nil
    vocabulary =
      try storedTokenizer?.vocabulary ?? Vocabulary(contentsOf: folder + "/vocab.txt")
    guard vocabulary.digest == description.vocabularyDigest,
      vocabulary.size == description.vocabularySize
    else {
      throw CorpusError.otherVocabulary(path: folder)
    }
    train = try Split(folder: folder, description.trainFiles, description)
    heldOut = try Split(folder: folder, description.heldOutFiles, description)
  }

  /// The tokenizer that the data were prepared with.
  package var tokenizer: Tokenizer {
    storedTokenizer
      ?? Tokenizer(vocabulary: vocabulary, normalization: description.normalization)
  }

  /// The files from which `Tokenizer(folder:)` reads the tokenizer of the data, by name.
  package func tokenizerFiles() throws -> [String: Data] {
    if let storedTokenizer {
      return try storedTokenizer.files(maximumLength: description.maximumLength)
    }
    return [
      "vocab.txt": Data(vocabulary.fileBytes),
      "tokenizer_config.json": Data(try description.normalization.json().utf8),
    ]
  }

  /// The number of examples in the training split, and in the held-out split.
  package var trainCount: Int { train.count }
  package var heldOutCount: Int { heldOut.count }

  /// Checks that the data was prepared with this maximum length and has training examples.
  ///
  /// Throws `otherLength` or `tooFew`.
  package func expect(length: Int) throws(CorpusError) {
    guard length == description.maximumLength else {
      throw .otherLength(wanted: length, prepared: description.maximumLength, path: folder)
    }
    guard trainCount > 0 else { throw .tooFew(path: folder, split: "training") }
  }

  /// The given sequences of the global batch of `step`.
  ///
  /// `firstSample` is the number of samples that the run has taken from this data before the step.
  /// The result does not depend on how sequences are divided among ranks and workers. Throws
  /// `CorpusError.tooFew` or `damagedBlock`.
  package func batch(
    step: Int, sequences: Range<Int>, firstSample: Int, seed: UInt64
  ) throws -> Batch {
    guard train.count > 0 else { throw CorpusError.tooFew(path: folder, split: "training") }
    var batch = Batch(step: step, firstSequence: sequences.lowerBound)
    for sequence in sequences {
      let sample = firstSample + sequence
      let (epoch, position) = sample.quotientAndRemainder(dividingBy: train.count)
      try train.append(train.exampleIndex(at: position, epoch: epoch, seed: seed), to: &batch)
    }
    return batch
  }

  /// The given sequences of a fixed subset of `total` held-out examples.
  ///
  /// The subset is spread evenly over the split; examples repeat if `total` exceeds its size.
  /// Throws `CorpusError.tooFew` or `damagedBlock`.
  package func heldOut(_ sequences: Range<Int>, of total: Int) throws -> Batch {
    guard heldOut.count > 0 else { throw CorpusError.tooFew(path: folder, split: "held-out") }
    var batch = Batch(firstSequence: sequences.lowerBound)
    for sequence in sequences {
      let example = sequence * heldOut.count / total
      try heldOut.append(
        Split.ExampleIndex(
          block: example / heldOut.blockExamples, index: example % heldOut.blockExamples),
        to: &batch)
    }
    return batch
  }

  /// Calls `body` with the tokens of every training example, in the order of the files.
  ///
  /// If there are more than `maximum` blocks (of 4096 examples), only `maximum` blocks, spread
  /// evenly, are read. Throws `CorpusError.damagedBlock`.
  package func forEachTrainingExample(
    ofBlocks maximum: Int = .max, _ body: (ArraySlice<Int32>) -> Void
  ) throws {
    let size = train.blockExamples
    let blocks = (train.count + size - 1) / size
    for number in 0..<min(maximum, blocks) {
      let block = number * blocks / min(maximum, blocks)
      for index in 0..<min(size, train.count - block * size) {
        var batch = Batch()
        try train.append(Split.ExampleIndex(block: block, index: index), to: &batch)
        body(batch.tokens[...])
      }
    }
  }
}

/// The files of one split, as one sequence of blocks.
private final class Split: Sendable {
  let count: Int
  let blockExamples = ShardFormat.blockExamples
  private let files: [ShardFile]
  /// The number of blocks before each file.
  private let firstBlocks: [Int]
  /// The most recently used blocks, the newest last; the memory of all others is released.
  private let recent = Mutex<[Int]>([])
  /// The number of blocks, each about a megabyte, that stay in memory.
  ///
  /// At any time, the workers of a rank use one or two.
  private static let residentBlocks = 8

  /// The location of an example: its block, counted over all files, and its index in the block.
  struct ExampleIndex {
    let block: Int
    let index: Int
  }

  init(
    folder: String, _ entries: [DataDescription.File], _ description: DataDescription
  ) throws {
    let limits = ShardFile.Limits(
      length: description.maximumLength, vocabularySize: description.vocabularySize)
    var files: [ShardFile] = []
    for (index, entry) in entries.enumerated() {
      let file = try ShardFile(path: folder + "/" + entry.name, limits: limits)
      let isLast = index == entries.count - 1
      guard file.header.vocabulary == ShardFormat.vocabularyMark(description.vocabularyDigest)
      else { throw CorpusError.otherVocabulary(path: file.path) }
      guard file.header.examples == entry.examples, file.size == entry.bytes,
        file.checksum == entry.checksum,
        isLast || entry.examples % blockExamples == 0
      else {
        throw CorpusError.notAShard(
          path: file.path, reason: "it does not match its entry in data.json")
      }
      files.append(file)
    }
    self.files = files
    count = files.reduce(0) { $0 + $1.header.examples }
    var blocks = 0
    firstBlocks = files.map { file in
      defer { blocks += file.header.blocks }
      return blocks
    }
  }

  /// The example at `position` of the epoch's order.
  ///
  /// Full blocks are visited in a random order; the last, smaller block (`remainder` examples)
  /// is inserted at a random boundary between them. The order is a bijection of `0..<count`:
  /// - positions `start ..< start + remainder` belong to the small block;
  /// - the others, without that range, are divided among the full blocks, which `order` permutes;
  /// - the index in the block is permuted again, with a key that depends on the block.
  ///
  /// The streams of different epochs differ by more than the offsets 0, 1 and 2 that are added
  /// here, so no two permutations share a key. Changing any of these constants changes the order of
  /// every run and breaks exact resume.
  func exampleIndex(at position: Int, epoch: Int, seed: UInt64) -> ExampleIndex {
    let stream = UInt64(truncatingIfNeeded: epoch) &* 0x1_0000_0001
    let fullBlocks = count / blockExamples
    let remainder = count % blockExamples
    var random = SplitMix(seed: seed, stream: stream)
    // The position of the first example of the small block.
    let start = random.number(below: fullBlocks + 1) * blockExamples
    var block = fullBlocks
    var index = position - start
    if remainder == 0 || index < 0 || index >= remainder {
      let shifted = remainder == 0 || position < start ? position : position - remainder
      let order = Permutation(count: fullBlocks, seed: seed, stream: stream &+ 1)
      block = order[shifted / blockExamples]
      index = shifted % blockExamples
    }
    let size = block == fullBlocks ? remainder : blockExamples
    let inner = Permutation(
      count: size, seed: seed ^ SplitMix.mix(UInt64(block) &+ 1), stream: stream &+ 2)
    return ExampleIndex(block: block, index: inner[index])
  }

  /// Appends an example to `batch`, and releases the memory of the least recently used block.
  ///
  /// Another worker may still read the released block. This is safe: its mapping stays valid, and
  /// the system reads the pages again.
  func append(_ example: ExampleIndex, to batch: inout Batch) throws(CorpusError) {
    let (file, block) = locate(example.block)
    let (isNew, oldest) = remember(example.block)
    if isNew { file.beginReading(block) }
    try file.append(example.index, of: block, to: &batch)
    guard let oldest else { return }
    let (old, oldBlock) = locate(oldest)
    old.releasePages(oldBlock)
  }

  /// The file of a block, and the block's index in the file.
  private func locate(_ block: Int) -> (file: ShardFile, block: Int) {
    let file = firstBlocks.lastIndex { $0 <= block } ?? 0
    return (files[file], block - firstBlocks[file])
  }

  /// Marks a block as the most recently used one.
  ///
  /// Returns whether it was not among the recent blocks, and the least recently used block if there
  /// are now too many.
  private func remember(_ block: Int) -> (isNew: Bool, oldest: Int?) {
    recent.withLock { recent in
      if recent.last == block { return (false, nil) }
      let before = recent.count
      recent.removeAll { $0 == block }
      let isNew = recent.count == before
      recent.append(block)
      return (isNew, recent.count > Self.residentBlocks ? recent.removeFirst() : nil)
    }
  }
}
