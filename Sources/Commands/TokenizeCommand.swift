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
      The ids equal those of Hugging Face: of BertWordPieceTokenizer for a vocab.txt, of \
      AutoTokenizer for a folder. [CLS] and [SEP] are not added; names of special tokens in the \
      text become these tokens. The text of a JSON object counts as one line.
      """)

  @Option(help: "The vocabulary: a vocab.txt, a tokenizer.json, or a folder of a model or data.")
  var vocabulary: String?

  @Option(help: "The same as --vocabulary, for the folder of a model.")
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
  }

  func run() throws { try runOnOneRank { try tokenize() } }

  private func tokenize() throws {
    let tokenizer = try Tokenizer(source: from ?? vocabulary ?? "", chosen: normalization.chosen)
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
