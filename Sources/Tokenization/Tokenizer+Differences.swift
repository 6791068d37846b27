extension Tokenizer {
  /// The first difference between two tokenizers, as a phrase; nil if they give the same ids.
  ///
  /// The phrase names what this tokenizer has, then what `other` has.
  package func difference(from other: Tokenizer) -> String? {
    if vocabulary.digest != other.vocabulary.digest {
      return "different vocabularies (\(vocabulary.size) and \(other.vocabulary.size) tokens)"
    }
    if normalization != other.normalization {
      return "different normalisations (\(normalization.inWords); \(other.normalization.inWords))"
    }
    if maximumCharacters != other.maximumCharacters {
      return "different limits on the length of words (\(maximumCharacters) and "
        + "\(other.maximumCharacters) characters)"
    }
    let (mine, theirs) = (Set(addedTokens.map(\.id)), Set(other.addedTokens.map(\.id)))
    return mine.symmetricDifference(theirs).min().map {
      "different added tokens (only \(mine.contains($0) ? "the first" : "the second") recognizes "
        + "\(vocabulary.tokens[Int($0)]) in text)"
    }
  }
}

extension TextNormalization {
  /// The options as a phrase, such as "lower case, accents kept".
  package var inWords: String {
    normalizers.map(\.rawValue).joined(separator: " and ")
      + (normalizers.isEmpty ? "" : ", then ")
      + bertInWords
  }

  private var bertInWords: String {
    [
      lowercase ? "lower case" : "cased", stripAccents ? "accents stripped" : "accents kept",
      cleansText ? nil : "control characters kept",
      separatesIdeographs ? nil : "ideographs not separated",
    ].compactMap(\.self).joined(separator: ", ")
  }
}
