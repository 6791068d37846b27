import Foundation
import Tokenization

/// Calls `body` with a new empty folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The contents of a fixture file.
func fixture(_ name: String) throws -> Data {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
  return try Data(contentsOf: folder.appending(path: name))
}

/// A vocabulary of the special tokens and `tokens`.
func vocabulary(_ tokens: [String]) throws -> Vocabulary {
  try Vocabulary(tokens: SpecialTokens.names + tokens, source: "test")
}

/// The normalisations by their names in the fixtures.
let normalizations: [(name: String, value: TextNormalization)] = [
  ("uncased", .uncased), ("cased", .cased), ("keep_accents", .keepAccents),
  ("strip_only", TextNormalization(lowercase: false, stripAccents: true)),
]
