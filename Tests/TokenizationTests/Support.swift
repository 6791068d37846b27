import Foundation
import Platform
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

/// The vocabulary of `make.py`: every character up to the last ideograph, alone and with `##`.
func allCharacters() throws -> Vocabulary {
  var tokens: [String] = []
  for codePoint in UInt32(0)..<0x2FA20 {
    guard ![9, 10, 13, 32].contains(codePoint), !(0xAC00..<0xF900 ~= codePoint),
      let scalar = Unicode.Scalar(codePoint)
    else { continue }
    tokens.append(String(scalar))
    tokens.append("##" + String(scalar))
  }
  return try vocabulary(tokens)
}

/// The digest that `make.py` has of the ids of these texts.
func idDigest(of texts: some Sequence<String>, by tokenizer: Tokenizer) -> String {
  let ids: [Int32] = texts.flatMap { tokenizer.encode($0) + [-1] }
  let bytes = ids.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
  return String(SHA256.hexadecimal(bytes).prefix(16))
}

/// The digest of the ids of the lines of 4096 code points.
func digestOfCodePoints(from start: UInt32, by tokenizer: Tokenizer) -> String {
  let scalars = (start..<start + 4096).filter { $0 != 10 }.compactMap { Unicode.Scalar($0) }
  return idDigest(of: scalars.map { "a\($0)b\($0)" }, by: tokenizer)
}
