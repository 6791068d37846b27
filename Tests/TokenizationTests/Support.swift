import Foundation
import Tokenization

/// A new empty folder, removed after `body`.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The bytes of a file that lies beside the tests.
func fixture(_ name: String) throws -> Data {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
  return try Data(contentsOf: folder.appending(path: name))
}

/// The special tokens, then `tokens`.
func vocabulary(_ tokens: [String]) throws -> Vocabulary {
  try Vocabulary(tokens: SpecialTokens.names + tokens, source: "test")
}

/// The normalisations by the names that the fixtures use.
let normalizations: [(name: String, value: TextNormalization)] = [
  ("uncased", .uncased), ("cased", .cased), ("keep_accents", .keepAccents),
  ("strip_only", TextNormalization(lowercase: false, stripAccents: true)),
]
