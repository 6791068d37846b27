import Corpus
import TestSupport
import Testing
import Tokenization

struct TokenizedBlockTests {
  private func block(_ text: String) throws -> TextBlock {
    let folder = try TemporaryFolder()
    let reader = try TextReader(paths: [try folder.write(text, "text.txt")], options: .init())
    return try #require(try reader.next())
  }

  /// A large vocabulary needs four bytes per token.
  @Test(arguments: [1078, 100_000])
  func storedTokensAreTheTokens(vocabularySize: Int) throws {
    let tokens = try letterTokenizer().vocabulary.size
    let names = (tokens..<max(tokens, vocabularySize)).map { "[unused\($0)]" }
    let tokenizer = Tokenizer(
      vocabulary: try Vocabulary(
        tokens: try letterTokenizer().vocabulary.tokens + names, source: "test"),
      normalization: TextNormalization(lowercase: true, stripAccents: true))
    let text = try block("w1 w2.\nw999\n\n\u{1}\n\nab cd é\n")
    let block = try text.tokens(tokenizer, .stop)
    // Lines of control characters have no tokens.
    #expect(block.documents == [2, 0, 1] && block.sentences == [3, 1, 5])
    let stored = StoredTokens(
      block, inputBytes: text.inputBytes, vocabularySize: tokenizer.vocabulary.size)
    #expect(stored.inputBytes == text.inputBytes && stored.documentCount == text.documentCount)
    #expect(stored.tokenCount == block.tokens.count)
    #expect(try StoredTokens(bytes: stored.bytes).tokens(tokenizer, .stop) == block)
  }
}
