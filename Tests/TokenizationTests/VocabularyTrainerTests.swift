import Glibc
import TestSupport
import Testing
import Tokenization

struct VocabularyTrainerTests {
  /// Trains on blocks of text.
  private func train(
    _ blocks: [String], size: Int = 1000, threads: Int = 1, alphabetLimit: Int? = 1000,
    minimumFrequency: Int = 2, capacity: Int = 12_000_000
  ) throws -> [String] {
    var trainer = VocabularyTrainer(
      size: size, normalization: .uncased, threads: threads, alphabetLimit: alphabetLimit,
      minimumFrequency: minimumFrequency, capacity: capacity)
    var left = blocks[...]
    try trainer.count({ left.popFirst() }, text: { Array($0.utf8) })
    return Array(try trainer.train().vocabulary.tokens.dropFirst(SpecialTokens.names.count))
  }

  /// Text of random words of a few letters, with accents and punctuation.
  private func text(words: Int, letters: String = "abcdeé,", _ draws: inout Draws) -> String {
    let letters = Array(letters)
    return (0..<words).map { _ in
      String(
        (0..<Int.random(in: 1...7, using: &draws)).map { _ in
          letters[Int.random(in: letters.indices, using: &draws)]
        })
    }.joined(separator: " ") + "\n"
  }

  @Test
  func specialTokensComeFirst() throws {
    var trainer = VocabularyTrainer(size: 20, normalization: .uncased, threads: 1)
    var left = ["one two\n"][...]
    try trainer.count({ left.popFirst() }, text: { Array($0.utf8) })
    let vocabulary = try trainer.train().vocabulary
    #expect(vocabulary.special.all == [0, 1, 2, 3, 4])
    #expect(trainer.wordCount == 2)
  }

  /// As in BERT's vocabularies, [PAD] has the id 0 and [UNK] follows the reserved tokens.
  @Test
  func reservedTokensFollowThePadding() throws {
    var trainer = VocabularyTrainer(size: 22, normalization: .uncased, threads: 1)
    trainer.reserved = 3
    var left = ["one two one\n"][...]
    try trainer.count({ left.popFirst() }, text: { Array($0.utf8) })
    let vocabulary = try trainer.train().vocabulary
    #expect(
      vocabulary.tokens.prefix(9) == [
        "[PAD]", "[unused0]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "e",
      ])
    #expect(vocabulary.special.all == [0, 4, 5, 6, 7])
    #expect(vocabulary.tokens.contains("one"))
    for (reserved, needed) in [(30, 44), (1_000_000_000, 1_000_000_014)] {
      trainer.reserved = reserved
      #expect(throws: TokenizationError.sizeTooSmall(size: 22, needed: needed)) {
        try trainer.train()
      }
    }
  }

  @Test
  func theMostFrequentPairsAreJoinedFirst() throws {
    // (a, ##b) occurs 5 times, then (ab, ##c) twice; (b, ##c) only once.
    #expect(
      try train(["ab ab Ab\n", "abc bc", " ABC"])
        == ["a", "b", "c", "##b", "##c", "ab", "abc"])
  }

  @Test
  func tiesAreBrokenByTheStringsOfThePair() throws {
    #expect(
      try train(["xy ac cd xy cd ab cd ac ab"]).suffix(4) == ["cd", "ab", "ac", "xy"])
    // (##a, ##b) and (q, ##a): a number sign comes before every letter.
    #expect(try train(["qab qab"]).suffix(2) == ["##ab", "qab"])
  }

  @Test
  func overlappingPairsAreJoinedFromTheLeft() throws {
    #expect(
      try train(["aaaa aaaa"]) == ["a", "##a", "##aa", "##aaa", "aaaa"])
  }

  @Test
  func theSizeAndTheMinimumFrequencyAreObeyed() throws {
    #expect(try train(["abcd abcd"], size: 5 + 7 + 1).count == 8)
    #expect(try train(["abcd abcd"], minimumFrequency: 3).count == 7)
    #expect(try train(["abcd"], minimumFrequency: 1).last == "abcd")
  }

  @Test
  func theRarestCharactersAreLeftOutOfTheAlphabet() throws {
    // x and y occur once each: the higher one is excluded, and with it the word that contains it.
    #expect(
      try train(["aab aab bx by by2 by2 22"], alphabetLimit: 4).filter { $0.count == 1 }
        == ["2", "a", "b", "y"])
    #expect(
      try train(["ab x ab y"], alphabetLimit: 3) == ["a", "b", "x", "##b", "ab"])
  }

  @Test
  func withoutALimitTheAlphabetGrowsUntilItCoversTheText() throws {
    // 1,200 characters, each a word that occurs ten times: 99.95 % need all of them.
    let characters = (0..<1200).compactMap { Unicode.Scalar(0x4E00 + $0) }.map { String($0) }
    let text = String(repeating: characters.joined(), count: 10)
    #expect(try train([text], size: 5000, alphabetLimit: nil).count == 1200)
    #expect(try train([text], size: 5000, alphabetLimit: 1000).count == 1000)
    #expect(try train([text], size: 1105, alphabetLimit: nil).count == 1100)
    // Beyond the first thousand, characters that occur once in a hundred thousand are excluded.
    let rare = String(repeating: characters.prefix(900).joined(), count: 1000)
    let mixed = rare + characters.dropFirst(900).joined()
    #expect(try train([mixed], size: 5000, alphabetLimit: nil).count == 1000)
  }

  @Test
  func whatHasNoTokensIsCounted() throws {
    var trainer = VocabularyTrainer(
      size: 20, normalization: .uncased, threads: 2, alphabetLimit: 4)
    let long = String(repeating: "a", count: 101)
    var left = ["aab aab bx by by2 by2 22 \(long)\n", long][...]
    try trainer.count({ left.popFirst() }, text: { Array($0.utf8) })
    let outcome = try trainer.train()
    #expect(outcome.alphabetSize == 4 && outcome.omittedCharacters == 1)
    #expect(outcome.words == 9 && outcome.uncoveredWords == 1 && outcome.longWords == 2)
  }

  @Test
  func theResultIsThatOfTheTextbook() throws {
    for seed in UInt64(1)...6 {
      var draws = Draws(state: seed)
      let text = text(words: 400, &draws)
      #expect(try train([text], size: 300) == PlainTrainer.train(text, size: 295))
    }
  }

  @Test(arguments: [2, 3, 5])
  func theNumberOfThreadsDoesNotMatter(threads: Int) throws {
    var draws = Draws(state: 3)
    let blocks = (0..<40).map { _ in text(words: 500, letters: "abcdefgh", &draws) }
    let one = try train(blocks, size: 800)
    #expect(one.count == 795)
    #expect(try train(blocks, size: 800, threads: threads) == one)
    // The same with a capacity so small that rare words are discarded.
    let cramped = try train(blocks, size: 800, capacity: 4000)
    #expect(cramped != one)
    #expect(try train(blocks, size: 800, threads: threads, capacity: 4000) == cramped)
  }

  @Test
  func textWithoutWordsAndTooSmallSizesAreRefused() {
    #expect(throws: TokenizationError.noWords) { try train(["", " \n\n"]) }
    #expect(throws: TokenizationError.noWords) { try train([]) }
    #expect(throws: TokenizationError.sizeTooSmall(size: 10, needed: 12)) {
      try train(["abcd abcd"], size: 10)
    }
  }

  private struct Fault: Error, Equatable {
    let block: Int
  }

  @Test
  func theFirstErrorIsPassedOn() {
    #expect(throws: Fault(block: 7)) { try countFailing(source: 7, text: 9) }
    #expect(throws: Fault(block: 40)) { try countFailing(source: 90, text: 40) }
  }

  /// Counts blocks of which one cannot be read and all from another one on are not text.
  private func countFailing(source: Int, text: Int) throws {
    var trainer = VocabularyTrainer(size: 20, normalization: .uncased, threads: 3)
    var block = 0
    try trainer.count(
      {
        block += 1
        if block == source { throw Fault(block: block) }
        return block
      },
      text: { block in
        // The first invalid block is the last one to be found invalid.
        if block == text { usleep(50_000) }
        if block >= text { throw Fault(block: block) }
        return []
      })
  }
}

/// Byte-pair training that recounts all pairs before each merge.
private enum PlainTrainer {
  static func train(_ text: String, size: Int) -> [String] {
    var words: [[String]: Int] = [:]
    for word in PlainTrainer.words(of: text) {
      let tokens = word.enumerated().map { ($0 == 0 ? "" : "##") + String($1) }
      words[tokens, default: 0] += 1
    }
    let characters = Set(words.keys.joined())
    let bare = Set(characters.map { $0.replacing("##", with: "") })
    var tokens = bare.sorted() + characters.filter { $0.hasPrefix("##") }.sorted()
    while tokens.count < size, let (left, right) = bestPair(words) {
      let joined = left + right.dropFirst(2)
      if !tokens.contains(joined) { tokens.append(joined) }
      words = Dictionary(
        words.map { (join(left, right, in: $0, as: joined), $1) }, uniquingKeysWith: +)
    }
    return tokens
  }

  private static func words(of text: String) -> [String] {
    let spaced = text.replacing("é", with: "e").replacing(",", with: " , ")
    return spaced.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  private static func bestPair(_ words: [[String]: Int]) -> (String, String)? {
    var counts: [[String]: Int] = [:]
    for (word, count) in words {
      for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += count }
    }
    let best = counts.min { a, b in
      a.value != b.value ? a.value > b.value : a.key.lexicographicallyPrecedes(b.key)
    }
    guard let best, best.value >= 2 else { return nil }
    return (best.key[0], best.key[1])
  }

  private static func join(
    _ left: String, _ right: String, in word: [String], as joined: String
  ) -> [String] {
    var result: [String] = []
    var rest = word[...]
    while let token = rest.popFirst() {
      if token == left && rest.first == right {
        rest.removeFirst()
        result.append(joined)
      } else {
        result.append(token)
      }
    }
    return result
  }
}
