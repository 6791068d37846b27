import ArgumentParser
import Corpus
import Foundation
import Models
import Platform
import Tokenization

/// `electra tokenize`: text to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Prints one line of token ids for each line of text.",
    discussion: """
      The ids are those of Hugging Face's BertWordPieceTokenizer, with --from those of its \
      AutoTokenizer for the folder. [CLS] and [SEP] are not added; the names of special tokens in \
      the text stand for the tokens. Of JSON objects, the text of each is one line.
      """)

  @Option(help: "The vocabulary: a file of one token a line.")
  var vocabulary: String?

  @Option(help: "A model's folder, with its own vocabulary and normalisation, instead.")
  var from: String?

  @OptionGroup var textField: TextFieldOption

  @OptionGroup var normalization: NormalizationOptions

  @Flag(help: "Print an object with tokens and ids for each line.")
  var json = false

  @Argument(help: "Text files; standard input if there are none or for -.")
  var files: [String] = []

  func validate() throws {
    guard (vocabulary == nil) != (from == nil) else {
      throw ValidationError("give --vocabulary or --from, and not both")
    }
    if from != nil, normalization.cased || normalization.keepAccents {
      throw ValidationError("the model of --from has its own normalisation; leave out the option")
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
