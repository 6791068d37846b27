import ArgumentParser
import Collectives
import Corpus
import Foundation
import Models
import Platform
import Runs
import Tokenization

/// `electra prepare`: converts text to shards.
struct PrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Converts text to shards of training examples.",
    discussion: """
      Under mpirun or srun the files are distributed over the ranks. The result does not depend on \
      the number of ranks and threads.
      """)

  @Argument(
    help: ArgumentHelp(
      """
      Text files, folders of them, or - for standard input, also compressed by gzip, xz, zstd, \
      bzip2.
      """,
      discussion: """
        One paragraph or sentence per line and a blank line between documents; or JSON objects, \
        one per line or in an array, each a document; or the output of WikiExtractor.
        """))
  var text: [String]

  @Option(help: "The vocabulary: a vocab.txt, a tokenizer.json, or a folder of a model or data.")
  var vocabulary: String

  @Option(help: "The folder to write; it must not exist.")
  var output: String

  @Option(help: "The longest example in tokens, special tokens included.")
  var length = 128

  @Option(help: "The share of documents held out for evaluation; 0 for none.")
  var heldOut = 0.01

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64 = 1

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Option(help: "What to do at a line that is not UTF-8: stop, or skip it.")
  var invalidText = InvalidText.stop

  @Flag(help: "Treat each file as one document and ignore blank lines.")
  var fileIsDocument = false

  @Option(help: "Threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func validate() throws {
    guard (8...512).contains(length) else {
      throw ValidationError("--length \(length) is not between 8 and 512")
    }
    guard heldOut >= 0, heldOut < 1 else {
      throw ValidationError("--held-out \(heldOut) is not between 0 and 1")
    }
    try expectCounts(["--threads": threads])
  }

  func run() throws {
    try runOnAllRanks(isOneEnough: true) { world in
      try expectEqualPrograms(world, self)
      let layout = try RankLayout(world: world, threads: threads, slices: .max)
      if world.rank == 0, let warning = layout.warning { warn(warning) }
      let preparation = try world.agree {
        try makePreparation(world, threads: layout.processors.count)
      }
      var progress = ProgressLine()
      let (description, remarks) =
        try world.size > 1
        ? shared(preparation, world, &progress) : alone(preparation, &progress)
      guard let description else { return }
      progress.finish("\(output): written in \(Int(progress.seconds)) s")
      remarks.sentences.forEach(warn)
      reportTokens(description.report)
      StandardOutput.print(json ? try description.report.json() : report(description))
    }
  }

  private var readerOptions: TextReader.Options {
    .init(fileIsDocument: fileIsDocument, invalidText: invalidText, field: textField.field)
  }

  private func makePreparation(_ world: Communicator, threads: Int) throws -> Preparation {
    if world.rank == 0 { try AtomicFolder.expectFree(output) }
    let tokenizer = try Tokenizer(source: vocabulary, chosen: normalization.chosen)
    var preparation = Preparation(
      tokenizer: tokenizer, maximumLength: length, heldOutFraction: heldOut,
      invalidText: invalidText, seed: seed, threads: threads)
    preparation.fault = FaultInjection.hook
    return preparation
  }

  /// Prepares the text on this rank alone: in one pass, so that it needs no temporary file and can
  /// read standard input.
  private func alone(
    _ preparation: Preparation, _ progress: inout ProgressLine
  ) throws -> (DataDescription?, TextRemarks) {
    let reader = try TextReader(paths: text, options: readerOptions)
    let description = try preparation.run(reader, into: makeFolder(output)) { bytes, tokens in
      progress.update { Self.progress(bytes, of: reader.totalBytes, tokens: tokens, seconds: $0) }
    }
    return (description, reader.remarks)
  }

  /// Prepares the text on all ranks; only rank zero returns a description.
  private func shared(
    _ preparation: Preparation, _ world: Communicator, _ progress: inout ProgressLine
  ) throws -> (DataDescription?, TextRemarks) {
    let shared = try SharedPreparation(
      text, options: readerOptions, preparation, world: world)
    let folder = try world.agree { world.rank == 0 ? try makeFolder(output) : nil }
    let written = try shared.write(into: folder?.partial) { stage, bytes, tokens in
      guard world.rank == 0 else { return }
      progress.update { seconds in
        stage == .writing
          ? "writing: \(tokens.grouped) tokens, \(bytes * 100 / max(1, shared.totalBytes)) %"
          : Self.progress(bytes, of: shared.totalBytes, tokens: tokens, seconds: seconds)
      }
    }
    try world.agree { try folder?.publish() }
    return written
  }

  /// Warns about special tokens and unknown tokens in the text.
  private func reportTokens(_ report: DataDescription.Report) {
    if let literal = report.literalSpecialTokens {
      warn(
        "the text contains \(literal.grouped) names of special tokens ([MASK], [SEP], ...), which "
          + "become these tokens, as in Hugging Face's tokenizers; change the text if they are "
          + "words")
    }
    if let share = unknownShare(report.unknownTokens, of: report.tokens) {
      warn(
        "\(share) of the tokens are [UNK]: \(vocabulary) lacks characters of this text; train a "
          + "vocabulary on it (electra vocabulary)")
    }
  }

  private static func progress(
    _ bytes: Int, of total: Int, tokens: Int, seconds: Double
  ) -> String {
    let speed = Double(bytes) / max(seconds, 1e-3)
    var line = "\(tokens.grouped) tokens, \(String(format: "%.1f", speed / 1e6)) MB/s of files"
    if total > 0 && speed > 0 {
      let left = Double(max(0, total - bytes)) / speed
      line += ", \(bytes * 100 / total) %, \(Int(left)) s left"
    }
    return line
  }

  private func report(_ description: DataDescription) -> String {
    let report = description.report
    let total = max(1, report.examples + report.heldOutExamples)
    let bins = report.lengths.enumerated().map { index, count in
      "\((index + 1) * description.maximumLength / 8): \(count * 100 / total) %"
    }
    return """
      documents   \(report.documents.grouped) (\(report.heldOutDocuments.grouped) held out)
      sentences   \(report.sentences.grouped)\
      \(report.invalidLines > 0 ? ", and \(report.invalidLines.grouped) invalid lines skipped" : "")
      tokens      \(report.tokens.grouped) (\(report.unknownTokens.grouped) unknown, \
      \(report.droppedTokens.grouped) dropped)
      examples    \(report.examples.grouped) to train, \(report.heldOutExamples.grouped) held out
      lengths up to  \(bins.joined(separator: ", "))
      """
  }
}

extension InvalidText: ExpressibleByArgument {}
