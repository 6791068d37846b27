import Tokenization

/// Encodes sentences as `[CLS] words [SEP]`, where the first token of each word has the word's tag.
///
/// A sentence that is too long is split between words into several sequences, so that every word
/// has a prediction. A single word that is too long is truncated. A word without tokens, such as a
/// lone control character, becomes `[UNK]`.
struct TagEncoder {
  let tokenizer: Tokenizer
  let maximumLength: Int

  /// The words of a sequence and the positions of their first tokens.
  struct Piece: Sendable, Equatable {
    /// The index of the sentence in the file.
    let sentence: Int
    /// The position in the sequence of the first token of each word.
    let positions: [Int]
  }

  /// Encodes a sentence as one or more sequences; none if it has no words.
  ///
  /// `tags` has the index of each word's tag, -1 for a tag that is not in the label set; nil if
  /// tags are unknown. `number` is the index of the sentence in the file.
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
      var indices = [Int32](repeating: -1, count: tokens.count)
      for (position, word) in zip(positions, range) { indices[position] = tags[word] }
      target = .tags(indices)
    }
    return (
      Piece(sentence: sentence, positions: positions), EncodedExample(tokens, target: target)
    )
  }
}
