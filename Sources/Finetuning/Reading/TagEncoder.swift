import Tokenization

/// Makes sequences of sentences of words: `[CLS] words [SEP]`, where the first token of a word carries
/// its tag.
///
/// A sentence that is too long is cut between words into several sequences, so that every word has its
/// tag; a single word that is too long loses its last tokens. A word without a token (a lone control
/// character) is `[UNK]`.
package struct TagEncoder {
  let tokenizer: Tokenizer
  let maximumLength: Int

  /// A sequence and the place, in it, of the first token of each of its words.
  package struct Piece: Sendable, Equatable {
    let sentence: Int
    /// Its first word's place in the sentence.
    let firstWord: Int
    /// For each of its words. (words)
    let positions: [Int]
  }

  /// The sequences of a sentence. `tags` gives for each word the place of its tag, -1 where it has
  /// none to learn; nil where tags are not known.
  func encode(
    _ sentence: Sentence, number: Int, tags: [Int32]?
  ) -> [(piece: Piece, example: EncodedExample)] {
    let room = maximumLength - 2
    let words = sentence.words.map { word in
      let tokens = tokenizer.encode(word)
      return tokens.isEmpty ? [tokenizer.vocabulary.special.unknown] : Array(tokens.prefix(room))
    }
    var result: [(Piece, EncodedExample)] = []
    var start = 0
    while start < words.count {
      var end = start
      var count = 0
      while end < words.count && count + words[end].count <= room {
        count += words[end].count
        end += 1
      }
      result.append(sequence(words, start..<end, sentence: number, tags: tags))
      start = end
    }
    return result
  }

  private func sequence(
    _ words: [[Int32]], _ range: Range<Int>, sentence: Int, tags: [Int32]?
  ) -> (Piece, EncodedExample) {
    let special = tokenizer.vocabulary.special
    var tokens = [special.classification]
    var positions: [Int] = []
    for word in words[range] {
      positions.append(tokens.count)
      tokens += word
    }
    tokens.append(special.separator)
    var target = Target.none
    if let tags {
      var places = [Int32](repeating: -1, count: tokens.count)
      for (position, word) in zip(positions, range) { places[position] = tags[word] }
      target = .tags(places)
    }
    let types = [UInt8](repeating: 0, count: tokens.count)
    return (
      Piece(sentence: sentence, firstWord: range.lowerBound, positions: positions),
      EncodedExample(tokens: tokens, types: types, target: target)
    )
  }
}
