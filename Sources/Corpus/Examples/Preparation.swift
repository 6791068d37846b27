import Foundation
import Layers
import Platform
import Tensors
import Tokenization

/// Converts text to a folder of shards on all cores, in bounded memory.
///
/// Text is read in batches of blocks. Worker threads convert the blocks of a batch to examples in
/// any order while the calling thread reads the next batch; then the examples are written in the
/// order of the text. All random decisions depend only on the seed and the number of the document.
/// So the bytes of the folder depend only on the text and the options, not on the number of
/// threads, nor on the ranks that tokenized the text.
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

  /// A part of the text with the number of its first document.
  private struct NumberedPart<Part: TokenSource>: Sendable {
    let part: Part
    let firstDocument: Int
  }

  /// The examples and counts of one part of the text.
  private struct Outcome: Sendable {
    var train: [Example] = []
    var heldOut: [Example] = []
    var report = DataDescription.Report()
    var inputBytes = 0
  }

  /// The batches of a stream of parts.
  private func batches<Part: Sendable>(
    weight: @escaping (Part) -> Int, _ read: @escaping () throws -> Part?
  ) -> BatchedMap<Part> {
    BatchedMap(threads: threads, weight: weight, limit: Self.batchBytes, read: read)
  }

  /// The tokens of a text, as batches for `write`.
  ///
  ///     var batches = preparation.tokenBatches { try reader.next() }
  ///     while let stored = try preparation.nextTokens(&batches) { keep(stored) }
  package func tokenBatches(
    _ read: @escaping () throws -> TextBlock?
  ) -> BatchedMap<TextBlock> {
    batches(weight: \.weight, read)
  }

  /// The tokens of the next batch in the order of the text; nil at its end.
  ///
  /// Throws the first error in the order of the text.
  package func nextTokens(_ batches: inout BatchedMap<TextBlock>) throws -> [StoredTokens]? {
    try batches.next { [self] block in
      StoredTokens(
        try block.tokens(tokenizer, invalidText), inputBytes: block.inputBytes,
        vocabularySize: tokenizer.vocabulary.size)
    }
  }

  /// Reads all text of `reader`, writes the shards to `output`, and publishes it.
  ///
  /// As `write`; after an error `output` is not published.
  package func run(
    _ reader: TextReader, into output: AtomicFolder,
    progress: (_ bytes: Int, _ tokens: Int) -> Void
  ) throws -> DataDescription {
    let description = try write({ try reader.next() }, into: output.partial, progress: progress)
    try output.publish()
    return description
  }

  /// The SHA-256 of the files from which the tokenizer of the data is read.
  package func tokenizerDigest() throws -> String {
    let files = try tokenizer.dataFiles(maximumLength: maximumLength)
    return SHA256.hexadecimal(files.sorted { $0.key < $1.key }.flatMap { Array($0.value) })
  }

  /// Builds the examples of all text of `reader` in memory, in the order of the text.
  ///
  /// They are the held-out examples of `run` with a `heldOutFraction` of 1. Throws the first error
  /// in the order of the text, without the advice to skip lines, and `CorpusError.noText`.
  package func examples(of reader: TextReader) throws -> [Example] {
    var (whole, examples) = (self, [Example]())
    whole.heldOutFraction = 0
    do {
      try whole.convert({ try reader.next() }) { examples += $0.train }
    } catch let error as CorpusError {
      throw error.withoutSkipping
    }
    if examples.isEmpty { throw CorpusError.noText(inputs: "the input") }
    return examples
  }

  /// Writes all files of a folder of shards.
  ///
  /// - Parameters:
  ///   - read: returns the next part of the text, nil at its end.
  ///   - folder: an existing folder, which is published afterwards.
  ///   - progress: called after each part with the bytes of input and the tokens processed so far.
  /// - Returns: the contents of `data.json`.
  /// - Throws: the first error in the order of the text; then the folder is incomplete.
  package func write<Part: TokenSource>(
    _ read: @escaping () throws -> Part?, into folder: String,
    progress: (_ bytes: Int, _ tokens: Int) -> Void
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
    try convert(read) { outcome in
      for example in outcome.train { try train.add(example) }
      for example in outcome.heldOut { try heldOut.add(example) }
      report.add(outcome.report)
      bytes += outcome.inputBytes
      progress(bytes, report.tokens)
    }
    try finish(&report, train, heldOut)
    var description = DataDescription(
      maximumLength: maximumLength, vocabulary: vocabulary,
      normalization: tokenizer.normalization, seed: seed, heldOutFraction: heldOutFraction,
      report: report)
    (description.trainFiles, description.heldOutFiles) = (train.files, heldOut.files)
    for (name, data) in try tokenizer.dataFiles(maximumLength: maximumLength) {
      try DurableFile.write(Array(data), to: folder + "/" + name, fault: fault)
    }
    try DurableFile.write(description.encoded(), to: folder + "/data.json", fault: fault)
    return description
  }

  /// Converts all parts of a text and passes the outcomes to `body` in the order of the text.
  private func convert<Part: TokenSource>(
    _ read: @escaping () throws -> Part?, _ body: (Outcome) throws -> Void
  ) throws {
    var documents = 0
    var batches = batches(weight: \NumberedPart<Part>.part.weight) {
      guard let part = try read() else { return nil }
      defer { documents += part.documentCount }
      return NumberedPart(part: part, firstDocument: documents)
    }
    while let outcomes = try batches.next({ [self] in try outcome(of: $0) }) {
      try outcomes.forEach(body)
    }
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

  /// Builds the examples of one part; called concurrently, so it must not depend on other parts.
  private func outcome<Part: TokenSource>(of numbered: NumberedPart<Part>) throws -> Outcome {
    let block = try numbered.part.tokens(tokenizer, invalidText)
    let special = tokenizer.vocabulary.special
    var outcome = Outcome(inputBytes: numbered.part.inputBytes)
    outcome.report.invalidLines = block.invalidLines
    outcome.report.sentences = block.sentences.count
    outcome.report.tokens = block.tokens.count
    outcome.report.unknownTokens = block.tokens.count { $0 == special.unknown }
    outcome.report.addLiteral(block.tokens.count { special.isNamed($0) })
    var (sentence, token) = (0, 0)
    for (offset, sentenceCount) in block.documents.enumerated() {
      let number = numbered.firstDocument + offset
      var builder = ExampleBuilder(
        maximumLength: maximumLength, special: special, seed: seed, document: number)
      for length in block.sentences[sentence..<sentence + Int(sentenceCount)] {
        builder.add(Array(block.tokens[token..<token + Int(length)]))
        token += Int(length)
      }
      sentence += Int(sentenceCount)
      builder.endDocument()
      add(builder, document: number, to: &outcome)
    }
    return outcome
  }

  /// Adds the examples of a document to one of the splits.
  private func add(_ builder: ExampleBuilder, document: Int, to outcome: inout Outcome) {
    // A seed of its own, so that the split is independent of the builder's random decisions.
    var chance = SplitMix(seed: seed &+ 77, stream: UInt64(document))
    let isHeldOut = chance.chance(heldOutFraction)
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
