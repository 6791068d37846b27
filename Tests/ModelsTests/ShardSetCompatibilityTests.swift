import Corpus
import Electra
import Foundation
import Models
import Platform
import TestSupport
import Testing
import Tokenization

struct ShardSetCompatibilityTests {
  private func shards(_ tokenizer: Tokenizer, in folder: TemporaryFolder) throws -> ShardSet {
    let lines = (0..<40).map { "the cat \(["sat", "mat"][$0 % 2]) a b c" }
    let text = try folder.write(lines.joined(separator: "\n\n") + "\n", "text.txt")
    let preparation = Preparation(
      tokenizer: tokenizer, maximumLength: 12, heldOutFraction: 0, invalidText: .stop, seed: 5,
      threads: 1)
    let reader = try TextReader(paths: [text], options: .init(invalidText: .stop))
    _ = try preparation.run(reader, into: AtomicFolder(folder.file("data"))) { _, _ in }
    return try ShardSet(folder: folder.file("data"))
  }

  @Test
  func dataOfTheSameTokenizerIsTaken() throws {
    let folder = try exportedRun()
    let shards = try shards(smallTokenizer(), in: folder)
    try shards.expect(smallTokenizer(), of: "run")
    try InitialModel([folder.file("run")], PretrainingTask()).expect(shards)
    try InitialModel([folder.file("discriminator")], PretrainingTask()).expect(shards)
  }

  /// Data keeps a tokenizer that a vocabulary and BERT's options do not define.
  @Test
  func dataOfAnyTokenizerHasItsTokenizer() throws {
    let plain = try smallTokenizer()
    let tokens = plain.vocabulary.tokens + ["[ENT]"]
    let added = plain.addedTokens + [AddedToken(name: "[ENT]", id: 61, isSpecial: true)]
    let tokenizer = Tokenizer(
      vocabulary: try Vocabulary(tokens: tokens, added: 1, source: "test"),
      normalization: TextNormalization(
        lowercase: true, stripAccents: true, cleansText: false, normalizers: [.nfkc]),
      maximumCharacters: 20, addedTokens: added)
    let folder = try TemporaryFolder()
    let shards = try shards(tokenizer, in: folder)
    #expect(shards.vocabulary.size == 62)
    #expect(shards.tokenizer.difference(from: tokenizer) == nil)
    try shards.expect(tokenizer, of: "m")
    #expect(sentence { try shards.expect(plain, of: "m") }.contains("different vocabularies"))
    for (name, data) in try shards.tokenizerFiles() { try folder.write(data, "run/" + name) }
    let kept = try Tokenizer(folder: folder.file("run"))
    #expect(kept.difference(from: tokenizer) == nil)
    #expect(kept.encode("the[ENT]cat").suffix(2) == [61, tokenizer.encode("cat")[0]])
    // Without its tokenizer.json, vocab.txt lacks the added token.
    try FileManager.default.removeItem(atPath: folder.file("data/tokenizer.json"))
    #expect(
      sentence { _ = try ShardSet(folder: folder.file("data")) }.contains("another vocabulary"))
  }

  @Test
  func otherVocabulariesAndNormalisationsAreNamed() throws {
    let folder = try TemporaryFolder()
    let shards = try shards(smallTokenizer(), in: folder)
    let own = try smallTokenizer()
    let more = sentence { try shards.expect(smallTokenizer(["the"]), of: "m") }
    #expect(more.contains("have different vocabularies (58 and 61 tokens)"), "\(more)")
    #expect(more.contains("; prepare the data with --vocabulary m"))
    for (normalization, words) in [
      (TextNormalization.cased, "(cased, accents kept; lower case, accents stripped)"),
      (.keepAccents, "(lower case, accents kept; "),
      (
        TextNormalization(lowercase: true, stripAccents: true, normalizers: [.nfc, .lowercase]),
        "(NFC and Lowercase, then lower case, accents stripped; "
      ),
    ] {
      let other = Tokenizer(vocabulary: own.vocabulary, normalization: normalization)
      let problem = sentence { try shards.expect(other, of: "m") }
      #expect(problem.contains(words), "\(problem)")
    }
  }
}
