import Foundation
import Layers
import Platform
import Synchronization
import Tensors
import Tokenization

/// Turns text into a folder of shards, on all cores, in bounded memory.
///
/// Blocks of text are read in order, turned into examples by whichever core is free while the next
/// ones are read, and written in order; all chances depend on the document's number. So the folder's bytes depend on the text and
/// the options alone.
package struct Preparation: Sendable {
  package var tokenizer: Tokenizer
  package var maximumLength: Int
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

  /// Text that is worked on at a time; the next such wave is read meanwhile. With its tokens it
  /// takes some ten times as much.
  private static let waveBytes = 16 << 20

  /// Consecutive blocks of text, and the error that ended them.
  private struct Wave {
    var blocks: [TextBlock] = []
    var error: (any Error)?
  }

  /// What becomes of one block of text.
  private struct Outcome: Sendable {
    var train: [Example] = []
    var heldOut: [Example] = []
    var report = DataDescription.Report()
  }

  /// Reads all of `reader`, and writes and publishes `output`.
  ///
  /// - Parameter progress: called now and then with the bytes of input done and the tokens so far.
  /// - Throws: the first error in the order of the text; nothing is left behind then.
  package func run(
    _ reader: TextReader, into output: AtomicFolder,
    progress: (_ bytes: Int, _ tokens: Int) -> Void
  ) throws -> DataDescription {
    let description = try write(reader, into: output.partial, progress: progress)
    try output.publish()
    return description
  }

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
    var wave = readWave(reader)
    while !wave.blocks.isEmpty {
      var next = Wave()
      func readNext() { if wave.error == nil { next = readWave(reader) } }
      let outcomes = try mapOnThreads(wave.blocks, threads: threads, meanwhile: readNext) {
        try outcome(of: $0)
      }
      for outcome in outcomes {
        for example in outcome.train { try train.add(example) }
        for example in outcome.heldOut { try heldOut.add(example) }
        report.add(outcome.report)
      }
      bytes += wave.blocks.reduce(0) { $0 + $1.inputBytes }
      progress(bytes, report.tokens)
      if wave.error != nil { break }
      wave = next
    }
    if let error = wave.error { throw error }
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

  private func readWave(_ reader: TextReader) -> Wave {
    var wave = Wave()
    var size = 0
    do {
      while wave.blocks.count < 8 * threads, size < Self.waveBytes,
        let block = try reader.next()
      {
        size += block.weight
        wave.blocks.append(block)
      }
    } catch {
      wave.error = error
    }
    return wave
  }

  private func outcome(of source: TextBlock) throws -> Outcome {
    var block = source
    var outcome = Outcome()
    outcome.report.invalidLines = try block.validate(invalidText)
    for (offset, lines) in block.documents.enumerated() {
      let number = block.firstDocument + offset
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
        let part = min(7, (example.tokens.count - 1) * 8 / maximumLength)
        outcome.report.lengths[part] += 1
      }
      if isHeldOut {
        outcome.heldOut += builder.examples
      } else {
        outcome.train += builder.examples
      }
    }
    return outcome
  }

  private func add(
    _ line: UnsafeBufferPointer<UInt8>, to builder: inout ExampleBuilder,
    _ report: inout DataDescription.Report
  ) {
    let special = tokenizer.vocabulary.special
    for part in Sentences.parts(line) {
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
