import Corpus
import Electra
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

  @Test
  func otherVocabulariesAndNormalisationsAreNamed() throws {
    let folder = try TemporaryFolder()
    let shards = try shards(smallTokenizer(), in: folder)
    let own = try smallTokenizer()
    let more = sentence { try shards.expect(smallTokenizer(["the"]), of: "m") }
    #expect(more.contains("have different vocabularies (58 and 61 tokens)"), "\(more)")
    #expect(more.contains("; prepare the data with --vocabulary m/vocab.txt"))
    for (normalization, words) in [
      (TextNormalization.cased, "needs data prepared with --cased"),
      (.keepAccents, "needs data prepared with --keep-accents"),
      (
        TextNormalization(lowercase: true, stripAccents: true, cleansText: false),
        "cannot prepare data"
      ),
    ] {
      let other = Tokenizer(vocabulary: own.vocabulary, normalization: normalization)
      let problem = sentence { try shards.expect(other, of: "m") }
      #expect(problem.contains(words), "\(problem)")
    }
  }
}
