import ArgumentParser
import Corpus
import Foundation
import Platform
import Synchronization
import Tokenization

/// `electra vocabulary`: trains a WordPiece vocabulary on text.
struct VocabularyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vocabulary",
    abstract: "Trains a WordPiece vocabulary on raw text.",
    discussion: """
      Text is UTF-8, plain or compressed (gzip, xz, zstd, bzip2), the output of \
      WikiExtractor, or JSON objects, one per line or in an array. \
      The result does not depend on the number of threads.
      """)

  @Argument(help: "Text files, folders of them, or - for standard input.")
  var text: [String]

  @Option(help: "The vocabulary to write, one token per line.")
  var output: String

  @Option(help: "The number of tokens.")
  var size = 30522

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Option(
    help: """
      The largest alphabet; words with other characters are unknown. By default 1000 characters, \
      or as many as cover 99.95 % of the text.
      """)
  var alphabet: Int?

  @Option(help: "Tokens [unused0], [unused1] and so on, after [PAD], that text never contains.")
  var reserve: Int?

  @Option(help: "The least number of occurrences of a pair of tokens that is merged.")
  var minimumFrequency = 2

  @Option(help: "What to do at a line that is not UTF-8: stop, or skip it.")
  var invalidText = InvalidText.stop

  @Option(help: "Threads that count words; by default all cores.")
  var threads: Int?

  func validate() throws {
    try expectCounts([
      "--size": size, "--alphabet": alphabet, "--reserve": reserve,
      "--minimum-frequency": minimumFrequency, "--threads": threads,
    ])
  }

  func run() throws { try runOnOneRank { try train() } }

  private func train() throws {
    try AtomicFile.expectFree(output)
    var trainer = VocabularyTrainer(
      size: size, normalization: normalization.chosen ?? .uncased,
      threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, alphabetLimit: alphabet,
      minimumFrequency: minimumFrequency)
    trainer.reserved = reserve ?? 0
    try count(into: &trainer)
    var progress = ProgressLine()
    let outcome = try trainer.train { tokens in
      progress.update { _ in "\(tokens) of \(size) tokens" }
    }
    try outcome.vocabulary.write(to: output)
    progress.finish("\(output): \(summary(outcome))")
    report(outcome)
  }

  private func summary(_ outcome: VocabularyTrainer.Outcome) -> String {
    let count = outcome.vocabulary.size
    if count == size { return "\(count) tokens" }
    return outcome.uncoveredWords > 0
      ? "\(count) tokens; the text has no more with an alphabet of "
        + "\(outcome.alphabetSize) characters"
      : "\(count) tokens; the text has no more"
  }

  /// Warns about words without tokens in the vocabulary.
  private func report(_ outcome: VocabularyTrainer.Outcome) {
    if outcome.longWords > 0 {
      warn(
        "\(outcome.longWords.grouped) words have more than 100 characters: they are omitted and "
          + "become [UNK]; the cause may be text without spaces, or markup")
    }
    if let share = unknownShare(outcome.uncoveredWords, of: outcome.words) {
      let remedy =
        alphabet == nil
        ? "raise --size or give a larger --alphabet" : "raise --alphabet, or omit it"
      warn(
        "\(share) of the words are unknown to this vocabulary, because the alphabet omits "
          + "\(outcome.omittedCharacters.grouped) characters of the text; \(remedy)")
    }
  }

  private func count(into trainer: inout VocabularyTrainer) throws {
    let policy = invalidText
    let skipped = SkippedLines()
    let reader = try TextReader(
      paths: text, options: .init(invalidText: policy, field: textField.field))
    let total = Self.megabytes(reader.totalBytes)
    let start = ProgressLine()
    var progress = ProgressLine()
    var bytes = 0
    try trainer.count(
      { () throws -> TextBlock? in
        guard let block = try reader.next() else {
          reader.remarks.sentences.forEach(warn)
          return nil
        }
        bytes += block.inputBytes
        progress.update { seconds in
          "counting words: \(Self.megabytes(bytes)) of \(total) MB of files, "
            + "\(Int(seconds)) s"
        }
        return block
      },
      text: { (block: TextBlock) in
        var block = block
        skipped.add(try block.validate(policy))
        return block.joined
      })
    let remark = skipped.count > 0 ? ", and \(skipped.count.grouped) invalid lines skipped" : ""
    start.finish("\(trainer.wordCount) different words in \(Int(start.seconds)) s\(remark)")
  }

  private static func megabytes(_ bytes: Int) -> String {
    String(format: "%.1f", Double(bytes) / 1e6)
  }
}

/// The number of skipped lines of text, counted by several threads.
private final class SkippedLines: Sendable {
  private let lines = Mutex(0)

  var count: Int { lines.withLock { $0 } }

  func add(_ count: Int) { lines.withLock { $0 += count } }
}
