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
/// Sample g of the run is a function of the seed alone: in every epoch blocks come in a random order,
/// and so do the examples inside a block. There is no table of the order; opening reads headers and
/// block tables alone, and only the blocks that were read last stay in memory. Every example comes
/// exactly once an epoch.
package final class ShardSet: Sendable {
  package let folder: String
  package let description: DataDescription
  package let vocabulary: Vocabulary
  private let train: Split
  private let heldOut: Split

  package init(folder: String) throws {
    self.folder = folder
    description = try DataDescription(folder: folder)
    vocabulary = try Vocabulary(contentsOf: folder + "/vocab.txt")
    guard vocabulary.digest == description.vocabularyDigest,
      vocabulary.size == description.vocabularySize
    else {
      throw CorpusError.otherVocabulary(path: folder)
    }
    train = try Split(folder: folder, description.trainFiles, description)
    heldOut = try Split(folder: folder, description.heldOutFiles, description)
  }

  /// The examples of the training split, and of the held-out split.
  package var trainCount: Int { train.count }
  package var heldOutCount: Int { heldOut.count }

  /// Checks that sequences of up to `length` tokens were prepared, and no longer ones.
  package func expect(length: Int) throws(CorpusError) {
    guard length == description.maximumLength else {
      throw .otherLength(wanted: length, prepared: description.maximumLength, path: folder)
    }
    guard trainCount > 0 else { throw .tooFew(path: folder, split: "training") }
  }

  /// These sequences of the global batch of `step`.
  ///
  /// - Parameter firstSample: the samples that the run has taken of this data before the step.
  package func batch(
    step: Int, sequences: Range<Int>, firstSample: Int, seed: UInt64
  ) throws -> Batch {
    guard train.count > 0 else { throw CorpusError.tooFew(path: folder, split: "training") }
    var batch = Batch(step: step, firstSequence: sequences.lowerBound)
    for sequence in sequences {
      let sample = firstSample + sequence
      let (epoch, position) = sample.quotientAndRemainder(dividingBy: train.count)
      try train.append(train.place(position, epoch: epoch, seed: seed), to: &batch)
    }
    return batch
  }

  /// Sequences of a fixed subset of `total` held-out examples, spread evenly over all of them.
  package func heldOut(_ sequences: Range<Int>, of total: Int) throws -> Batch {
    guard heldOut.count > 0 else { throw CorpusError.tooFew(path: folder, split: "held-out") }
    var batch = Batch(firstSequence: sequences.lowerBound)
    for sequence in sequences {
      let example = sequence * heldOut.count / total
      try heldOut.append(
        Split.Place(block: example / heldOut.blockExamples, index: example % heldOut.blockExamples),
        to: &batch)
    }
    return batch
  }

  /// Calls `body` with every training example's tokens, in the order of the files.
  ///
  /// - Parameter most: blocks, of 4096 examples; where there are more, so many that are spread evenly.
  package func forEachTrainingExample(
    ofBlocks most: Int = .max, _ body: (ArraySlice<Int32>) -> Void
  ) throws {
    let size = train.blockExamples
    let blocks = (train.count + size - 1) / size
    for number in 0..<min(most, blocks) {
      let block = number * blocks / min(most, blocks)
      for index in 0..<min(size, train.count - block * size) {
        var batch = Batch()
        try train.append(Split.Place(block: block, index: index), to: &batch)
        body(batch.tokens[...])
      }
    }
  }
}

/// The files of one split, seen as one run of blocks.
private final class Split: Sendable {
  let count: Int
  let blockExamples = ShardFormat.blockExamples
  private let files: [ShardFile]
  /// The number of blocks before each file.
  private let firstBlocks: [Int]
  /// The blocks read last, the newest at the end: all others' memory has been given back.
  private let recent = Mutex<[Int]>([])
  /// How many blocks stay in memory, each about a megabyte: lanes read from one or two.
  private static let kept = 8

  /// An example: its block over all files, and its number there.
  struct Place {
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
          path: file.path, reason: "it is not the file that data.json tells of")
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

  /// Where example `position` of the epoch's order lies. Whole blocks come in a random order; the
  /// last, smaller one goes to a random place among them.
  func place(_ position: Int, epoch: Int, seed: UInt64) -> Place {
    let stream = UInt64(truncatingIfNeeded: epoch) &* 0x1_0000_0001
    let whole = count / blockExamples
    let rest = count % blockExamples
    var random = SplitMix(seed: seed, stream: stream)
    let before = random.number(below: whole + 1) * blockExamples
    var block = whole
    var index = position - before
    if rest == 0 || index < 0 || index >= rest {
      let shifted = rest == 0 || position < before ? position : position - rest
      let order = Permutation(count: whole, seed: seed, stream: stream &+ 1)
      block = order[shifted / blockExamples]
      index = shifted % blockExamples
    }
    let size = block == whole ? rest : blockExamples
    let inner = Permutation(
      count: size, seed: seed ^ SplitMix.mix(UInt64(block) &+ 1), stream: stream &+ 2)
    return Place(block: block, index: inner[index])
  }

  func append(_ place: Place, to batch: inout Batch) throws(CorpusError) {
    let (file, block) = locate(place.block)
    let (isNew, oldest) = remember(place.block)
    if isNew { file.beginReading(block) }
    try file.append(place.index, of: block, to: &batch)
    guard let oldest else { return }
    let (old, oldBlock) = locate(oldest)
    old.giveBack(oldBlock)
  }

  /// The file of a block, and its number there.
  private func locate(_ block: Int) -> (file: ShardFile, block: Int) {
    let file = firstBlocks.lastIndex { $0 <= block } ?? 0
    return (files[file], block - firstBlocks[file])
  }

  /// Takes note that a block is read. Returns whether it was not among the last ones, and the one that
  /// has not been read for longest when there are now too many.
  private func remember(_ block: Int) -> (isNew: Bool, oldest: Int?) {
    recent.withLock { recent in
      if recent.last == block { return (false, nil) }
      let before = recent.count
      recent.removeAll { $0 == block }
      let isNew = recent.count == before
      recent.append(block)
      return (isNew, recent.count > Self.kept ? recent.removeFirst() : nil)
    }
  }
}
