import ArgumentParser
import Corpus
import Foundation
import Models
import Platform
import Tokenization

/// `electra tokenize`: converts text to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Prints the token ids of each line of text.",
    discussion: """
      The ids equal those of Hugging Face's BertWordPieceTokenizer, or with --from those of its \
      AutoTokenizer for the folder. [CLS] and [SEP] are not added; names of special tokens in the \
      text become these tokens. The text of a JSON object counts as one line.
      """)

  @Option(help: "The vocabulary, a vocab.txt.")
  var vocabulary: String?

  @Option(help: "The folder of a model, whose vocabulary and normalisation are used instead.")
  var from: String?

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Flag(help: "Print a JSON object with tokens and ids per line.")
  var json = false

  @Argument(help: "Text files; by default, and for -, standard input.")
  var files: [String] = []

  func validate() throws {
    guard (vocabulary == nil) != (from == nil) else {
      throw ValidationError("give either --vocabulary or --from")
    }
    if from != nil, normalization.cased || normalization.keepAccents {
      throw ValidationError("--from sets the normalisation; omit --cased and --keep-accents")
    }
  }

  func run() throws {
    try runOnOneRank { try tokenize() }
  }

  private func tokenizer() throws -> Tokenizer {
    if let from { return try modelTokenizer(from) }
    return Tokenizer(
      vocabulary: try Vocabulary(contentsOf: vocabulary ?? ""),
      normalization: normalization.normalization)
  }

  private func tokenize() throws {
    let tokenizer = try tokenizer()
    let limit = isatty(STDIN_FILENO) != 0 ? 0 : 1 << 16
    for file in files.isEmpty ? ["-"] : files {
      let lines = try TextLines(path: file, field: textField.field)
      while let line = try lines.next() {
        let ids = tokenizer.encode(line)
        if json {
          let tokens = ids.map { tokenizer.vocabulary.tokens[Int($0)] }
          StandardOutput.print(try TokenizedLine(tokens: tokens, ids: ids).json())
        } else {
          StandardOutput.print(Self.line(ids))
        }
        try StandardOutput.flush(above: limit)
      }
      lines.warnings.sentences.forEach(warn)
    }
  }

  /// A line of `--json`.
  private struct TokenizedLine: Encodable {
    let tokens: [String]
    let ids: [Int32]
  }

  /// The ids, separated by spaces.
  private static func line(_ ids: [Int32]) -> [UInt8] {
    var line: [UInt8] = []
    for (index, id) in ids.enumerated() {
      if index > 0 { line.append(UInt8(ascii: " ")) }
      line += String(id).utf8
    }
    return line
  }
}
