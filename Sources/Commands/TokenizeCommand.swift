import ArgumentParser
import Foundation
import Tokenization

/// `electra tokenize`: text to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Prints one line of token ids for each line of text.",
    discussion: """
      The ids are those of Hugging Face's BertWordPieceTokenizer. [CLS] and [SEP] are not added; \
      the names of special tokens in the text stand for the tokens.
      """)

  @Option(help: "The vocabulary: a file of one token a line.")
  var vocabulary: String

  @OptionGroup var normalization: NormalizationOptions

  @Flag(help: "Print an object with tokens and ids for each line.")
  var json = false

  @Argument(help: "Text files; standard input if there are none or for -.")
  var files: [String] = []

  func run() throws {
    try reportingErrors { try tokenize() }
  }

  private func tokenize() throws {
    let vocabulary = try Vocabulary(contentsOf: vocabulary)
    let tokenizer = Tokenizer(
      vocabulary: vocabulary, normalization: normalization.normalization)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let limit = isatty(STDIN_FILENO) != 0 ? 0 : 1 << 16
    for file in files.isEmpty ? ["-"] : files {
      var lines = try LineReader(path: file)
      while let line = try lines.next() {
        let ids = tokenizer.encode(line)
        if json {
          StandardOutput.print(
            try encoder.encode(
              TokenizedLine(tokens: ids.map { vocabulary.tokens[Int($0)] }, ids: ids)))
        } else {
          StandardOutput.print(Self.line(ids))
        }
        try StandardOutput.flush(above: limit)
      }
    }
  }

  /// A line of the machine's answer.
  private struct TokenizedLine: Encodable {
    let tokens: [String]
    let ids: [Int32]
  }

  /// The ids with blanks between them.
  private static func line(_ ids: [Int32]) -> [UInt8] {
    var line: [UInt8] = []
    for (index, id) in ids.enumerated() {
      if index > 0 { line.append(UInt8(ascii: " ")) }
      line += String(id).utf8
    }
    return line
  }
}
