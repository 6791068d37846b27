import ArgumentParser
import Corpus
import Foundation
import Models
import Platform
import Tokenization

/// `electra prepare`: text to shards.
struct PrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Turns text into shards of training examples, and reports what became of it.")

  @Argument(
    help: ArgumentHelp(
      "Text files, folders of them, or - for standard input; also packed (gzip, xz) and JSON.",
      discussion: """
        One paragraph or sentence a line, a blank line between documents; or JSON objects, one a line or \
        in a list, each a document.
        """))
  var text: [String]

  @Option(help: "The vocabulary, a vocab.txt.")
  var vocabulary: String

  @Option(help: "The folder to make.")
  var output: String

  @Option(help: "The longest example, in tokens.")
  var length = 128

  @Option(help: "The share of documents that is kept for evaluation; 0 for none.")
  var heldOut = 0.01

  @Option(help: "The seed of all chances.")
  var seed: UInt64 = 1

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Option(help: "What to do with lines that are not UTF-8 text: stop or skip.")
  var invalidText = InvalidText.stop

  @Flag(help: "Every file is one document, blank lines or not.")
  var fileIsDocument = false

  @Option(help: "Threads; by default all cores.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

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
    try runOnOneRank {
      try AtomicFolder.expectFree(output)
      let tokenizer = Tokenizer(
        vocabulary: try Vocabulary(contentsOf: vocabulary),
        normalization: normalization.normalization)
      let reader = try TextReader(
        paths: text,
        options: .init(
          fileIsDocument: fileIsDocument, invalidText: invalidText, field: textField.field))
      let folder = try makeFolder(output)
      var preparation = Preparation(
        tokenizer: tokenizer, maximumLength: length, heldOutFraction: heldOut,
        invalidText: invalidText, seed: seed, threads: threads)
      preparation.fault = FaultInjection.hook
      var progress = ProgressLine()
      let description = try preparation.run(reader, into: folder) { bytes, tokens in
        progress.update { seconds in
          Self.progress(bytes, of: reader.totalBytes, tokens: tokens, seconds: seconds)
        }
      }
      progress.finish("\(output): made in \(Int(progress.seconds)) s")
      reader.reportRemarks()
      reportTokens(description.report)
      StandardOutput.print(json ? try description.report.json() : report(description))
    }
  }

  /// Warns of tokens that are not what a text should give.
  private func reportTokens(_ report: DataDescription.Report) {
    if let literal = report.literalSpecialTokens {
      warn(
        "\(literal.grouped) tokens stand in the text by the names of special tokens ([MASK], [SEP], "
          + "...) and are those tokens, as in Hugging Face's tokenizers; change the text where they "
          + "are meant as words")
    }
    if let share = UnknownShare(report.unknownTokens, of: report.tokens) {
      warn(
        "\(share) of the tokens are [UNK]: \(vocabulary) lacks characters of this text; train a "
          + "vocabulary on it (electra vocabulary)")
    }
  }

  private static func progress(
    _ bytes: Int, of total: Int, tokens: Int, seconds: Double
  ) -> String {
    let rate = Double(bytes) / max(seconds, 1e-3)
    var line = "\(tokens.grouped) tokens, \(String(format: "%.1f", rate / 1e6)) MB/s of files"
    if total > 0 && rate > 0 {
      let left = Double(max(0, total - bytes)) / rate
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
