import Corpus
import Foundation
import Platform
import TestSupport
import Tokenization

/// A tokenizer whose tokens are the letters and the words `w0` to `w999`.
func letterTokenizer() throws -> Tokenizer {
  let letters = "abcdefghijklmnopqrstuvwxyz0123456789".map { String($0) }
  let tokens =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."] + letters + letters.map { "##" + $0 }
    + (0..<1000).map { "w\($0)" }
  return Tokenizer(
    vocabulary: try Vocabulary(tokens: tokens, source: "test"),
    normalization: TextNormalization(lowercase: true, stripAccents: true))
}

/// Documents of a few lines; the first word of every line identifies the document.
func numberedText(documents: Int, lines: Int = 3) -> String {
  (0..<documents).map { document in
    (0..<lines).map { "w\(document % 1000) w\(($0 * 7 + document) % 1000) some words." }
      .joined(separator: "\n")
  }.joined(separator: "\n\n") + "\n"
}

/// Prepares the text of a file into a folder.
@discardableResult
func prepare(
  _ text: String, into folder: String, length: Int = 16, heldOut: Double = 0,
  invalidText: InvalidText = .stop, threads: Int = 2
) throws -> DataDescription {
  let preparation = Preparation(
    tokenizer: try letterTokenizer(), maximumLength: length, heldOutFraction: heldOut,
    invalidText: invalidText, seed: 5, threads: threads)
  let reader = try TextReader(paths: [text], options: .init(invalidText: invalidText))
  return try preparation.run(reader, into: AtomicFolder(folder)) { _, _ in }
}
