import Foundation
import Layers
import Platform
import Synchronization
import Tensors
import Tokenization

/// Converts text to a folder of shards on all cores, in bounded memory.
///
/// Text is read in batches of blocks. Worker threads convert the blocks of a batch to examples in
/// any order while the calling thread reads the next batch; then the examples are written in the
/// order of the text. All random decisions depend only on the seed and the number of the document.
/// So the bytes of the folder depend only on the text and the options, not on the number of
/// threads.
package struct Preparation: Sendable {
  package var tokenizer: Tokenizer
  /// The maximum length of an example, in tokens.
  package var maximumLength: Int
  /// The probability that a document is held out; 0 for no held-out split.
  package var heldOutFraction: Double
  package var invalidText: InvalidText
  package var seed: UInt64
  package var threads: Int
  /// Called before every write and flush.
  package var fault: FaultHook = { _ in }

  package init(
    tokenizer: Tokenizer, maximumLength: Int, heldOutFraction: Double, invalidText: InvalidText,
    seed: UInt64, threads: Int
  ) {
    self.tokenizer = tokenizer
    self.maximumLength = maximumLength
    self.heldOutFraction = heldOutFraction
    self.invalidText = invalidText
    self.seed = seed
    self.threads = threads
  }

  /// The size of a batch of blocks, in bytes of text.
  ///
  /// A batch with its tokens takes about ten times as much memory. The next batch is in memory too,
  /// because it is read while the current one is processed.
  private static let batchBytes = 16 << 20

  /// Consecutive blocks of text, and the error that ended the text after them.
  ///
  /// The error is thrown only after the blocks before it are processed. So an invalid line in an
  /// earlier block is reported first, as if the text were read by one thread.
  private struct BlockBatch {
    var blocks: [TextBlock] = []
    var error: (any Error)?
  }

  /// The examples and counts of one block of text.
  private struct Outcome: Sendable {
    var train: [Example] = []
    var heldOut: [Example] = []
    var report = DataDescription.Report()
  }

  /// Reads all text of `reader`, writes the shards to `output`, and publishes it.
  ///
  /// `progress` is called after each batch with the bytes of input and the tokens processed so far.
  /// Throws the first error in the order of the text; then `output` is not published.
  package func run(
    _ reader: TextReader, into output: AtomicFolder,
    progress: (_ bytes: Int, _ tokens: Int) -> Void
  ) throws -> DataDescription {
    let description = try write(reader, into: output.partial, progress: progress)
    try output.publish()
    return description
  }

  /// Writes all files of the folder.
  ///
  /// While the workers process `batch`, this thread fills `next` and then joins the workers.
  /// `outcomes` has the order of the blocks, whichever thread finishes first, so the examples are
  /// written in the order of the text.
  private func write(
    _ reader: TextReader, into folder: String, progress: (Int, Int) -> Void
  ) throws -> DataDescription {
    let vocabulary = tokenizer.vocabulary
    func writer(_ name: String, isNumbered: Bool) -> ShardWriter {
      ShardWriter(
        folder: folder, name: name, isNumbered: isNumbered, vocabularySize: vocabulary.size,
        vocabularyDigest: vocabulary.digest, fault: fault)
    }
    let (train, heldOut) = (writer("train", isNumbered: true), writer("heldout", isNumbered: false))
    var report = DataDescription.Report()
    var bytes = 0
    var batch = readBatch(reader)
    while !batch.blocks.isEmpty {
      var next = BlockBatch()
      func readNext() { if batch.error == nil { next = readBatch(reader) } }
      let outcomes = try mapOnThreads(batch.blocks, threads: threads, meanwhile: readNext) {
        try outcome(of: $0)
      }
      for outcome in outcomes {
        for example in outcome.train { try train.add(example) }
        for example in outcome.heldOut { try heldOut.add(example) }
        report.add(outcome.report)
      }
      bytes += batch.blocks.reduce(0) { $0 + $1.inputBytes }
      progress(bytes, report.tokens)
      if batch.error != nil { break }
      batch = next
    }
    if let error = batch.error { throw error }
    try finish(&report, train, heldOut)
    var description = DataDescription(
      maximumLength: maximumLength, vocabulary: vocabulary,
      normalization: tokenizer.normalization, seed: seed, heldOutFraction: heldOutFraction,
      report: report)
    (description.trainFiles, description.heldOutFiles) = (train.files, heldOut.files)
    try DurableFile.write(vocabulary.fileBytes, to: folder + "/vocab.txt", fault: fault)
    try DurableFile.write(description.encoded(), to: folder + "/data.json", fault: fault)
    return description
  }

  /// Completes the report, checks that both splits have examples, and closes the shards.
  private func finish(
    _ report: inout DataDescription.Report, _ train: ShardWriter, _ heldOut: ShardWriter
  ) throws {
    report.examples = train.exampleCount
    report.heldOutExamples = heldOut.exampleCount
    if report.tokens == 0 { throw CorpusError.noText(inputs: "the input") }
    if heldOutFraction > 0 && (heldOut.exampleCount == 0 || train.exampleCount == 0) {
      throw CorpusError.emptyHeldOut(documents: report.documents, fraction: heldOutFraction)
    }
    try train.finish()
    try heldOut.finish()
  }

  /// Reads blocks up to the size of a batch, the end of the text or an error.
  private func readBatch(_ reader: TextReader) -> BlockBatch {
    var batch = BlockBatch()
    var size = 0
    do {
      while batch.blocks.count < 8 * threads, size < Self.batchBytes,
        let block = try reader.next()
      {
        size += block.weight
        batch.blocks.append(block)
      }
    } catch {
      batch.error = error
    }
    return batch
  }

  /// Converts one block; called concurrently, so it must not depend on other blocks.
  private func outcome(of source: TextBlock) throws -> Outcome {
    var block = source
    var outcome = Outcome()
    outcome.report.invalidLines = try block.validate(invalidText)
    for (offset, lines) in block.documents.enumerated() {
      let number = block.firstDocument + offset
      // A seed of its own, so that the split is independent of the builder's random decisions.
      var chance = SplitMix(seed: seed &+ 77, stream: UInt64(number))
      let isHeldOut = chance.chance(heldOutFraction)
      var builder = ExampleBuilder(
        maximumLength: maximumLength, special: tokenizer.vocabulary.special, seed: seed,
        document: number)
      block.bytes.withUnsafeBufferPointer { bytes in
        for line in block.lines[lines] {
          add(UnsafeBufferPointer(rebasing: bytes[line.bytes]), to: &builder, &outcome.report)
        }
      }
      builder.endDocument()
      outcome.report.documents += 1
      outcome.report.droppedTokens += builder.droppedTokens
      if isHeldOut { outcome.report.heldOutDocuments += 1 }
      for example in builder.examples {
        let eighth = min(7, (example.tokens.count - 1) * 8 / maximumLength)
        outcome.report.lengths[eighth] += 1
      }
      if isHeldOut {
        outcome.heldOut += builder.examples
      } else {
        outcome.train += builder.examples
      }
    }
    return outcome
  }

  /// Encodes a line, or the parts of a long one, as sentences.
  private func add(
    _ line: UnsafeBufferPointer<UInt8>, to builder: inout ExampleBuilder,
    _ report: inout DataDescription.Report
  ) {
    let special = tokenizer.vocabulary.special
    for part in LongLines.parts(line) {
      var ids: [Int32] = []
      tokenizer.encode(UnsafeBufferPointer(rebasing: line[part]), into: &ids)
      if ids.isEmpty { continue }
      report.sentences += 1
      report.tokens += ids.count
      report.unknownTokens += ids.count { $0 == special.unknown }
      report.addLiteral(ids.count { special.isNamed($0) })
      builder.add(ids)
    }
  }
}

extension DataDescription.Report {
  fileprivate mutating func add(_ other: Self) {
    documents += other.documents
    heldOutDocuments += other.heldOutDocuments
    sentences += other.sentences
    invalidLines += other.invalidLines
    tokens += other.tokens
    droppedTokens += other.droppedTokens
    unknownTokens += other.unknownTokens
    addLiteral(other.literalSpecialTokens ?? 0)
    for i in lengths.indices { lengths[i] += other.lengths[i] }
  }

  fileprivate mutating func addLiteral(_ count: Int) {
    if count > 0 { literalSpecialTokens = (literalSpecialTokens ?? 0) + count }
  }
}
