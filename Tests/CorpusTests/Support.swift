import Corpus
import Foundation
import Tokenization

/// A folder of its own for a test, removed afterwards.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "electra-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, _ name: String) throws -> String {
    try write([UInt8](text.utf8), name)
  }

  @discardableResult
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  /// The names of all files in `folder`, sorted.
  func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder).sorted()
  }

  /// Packs a file with a system program, and removes the plain one.
  func pack(_ name: String, with program: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, file(name)]
    try process.run()
    process.waitUntilExit()
  }
}

/// A tokenizer whose words are the letters, and `w0` to `w999` which it knows whole.
func letterTokenizer() throws -> Tokenizer {
  let letters = "abcdefghijklmnopqrstuvwxyz0123456789".map { String($0) }
  let tokens =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."] + letters + letters.map { "##" + $0 }
    + (0..<1000).map { "w\($0)" }
  return Tokenizer(
    vocabulary: try Vocabulary(tokens: tokens, source: "test"),
    normalization: TextNormalization(lowercase: true, stripAccents: true))
}

/// Documents of a few lines; the first word of every line says which document it is from.
func numberedText(documents: Int, lines: Int = 3) -> String {
  (0..<documents).map { document in
    (0..<lines).map { "w\(document % 1000) w\(($0 * 7 + document) % 1000) some words." }
      .joined(separator: "\n")
  }.joined(separator: "\n\n") + "\n"
}

/// Prepares `text` into the folder `name`.
@discardableResult
func prepare(
  _ text: String, in folder: TemporaryFolder, as name: String = "data", length: Int = 16,
  heldOut: Double = 0, invalidText: InvalidText = .stop, threads: Int = 2
) throws -> DataDescription {
  let preparation = Preparation(
    tokenizer: try letterTokenizer(), maximumLength: length, heldOutFraction: heldOut,
    invalidText: invalidText, seed: 5, threads: threads)
  let reader = try TextReader(paths: [text], options: .init(invalidText: invalidText))
  return try preparation.run(reader, into: folder.file(name)) { _, _ in }
}
