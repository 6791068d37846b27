import Foundation
import Tokenization

/// A simple WordPiece tokenizer on strings, the oracle for the fast one.
///
/// It uses Swift's Unicode tables, so it is correct for characters that Unicode 8 has.
struct PlainTokenizer {
  let tokens: [[Unicode.Scalar]: Int32]
  let normalization: TextNormalization

  init(_ vocabulary: Vocabulary, _ normalization: TextNormalization) {
    tokens = Dictionary(
      uniqueKeysWithValues: zip(vocabulary.tokens.map { Array($0.unicodeScalars) }, Int32(0)...))
    self.normalization = normalization
  }

  func encode(_ text: String) -> [Int32] {
    for name in SpecialTokens.names {
      if let range = text.range(of: name, options: .literal) {
        let id = tokens[Array(name.unicodeScalars)].map { [$0] } ?? []
        return encode(String(text[..<range.lowerBound])) + id
          + encode(String(text[range.upperBound...]))
      }
    }
    return words(of: text).flatMap(pieces)
  }

  func words(of text: String) -> [[Unicode.Scalar]] {
    var cleaned = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case _ where "\t\n\r".unicodeScalars.contains(scalar): cleaned += " "
      case .control, .format, .privateUse: continue
      case _ where scalar == "\u{FFFD}": continue
      case .spaceSeparator, .lineSeparator, .paragraphSeparator: cleaned += " "
      case _ where CharacterSet.ideographs.contains(scalar): cleaned += " \(scalar) "
      default: cleaned.unicodeScalars.append(scalar)
      }
    }
    if normalization.stripAccents {
      let marks = cleaned.decomposedStringWithCanonicalMapping.unicodeScalars.filter {
        $0.properties.generalCategory != .nonspacingMark
      }
      cleaned = String(String.UnicodeScalarView(marks))
    }
    if normalization.lowercase {
      cleaned = cleaned.unicodeScalars.map(\.properties.lowercaseMapping).joined()
    }
    return cleaned.unicodeScalars.split(separator: " ").flatMap(parts)
  }

  private func parts(of word: Substring.UnicodeScalarView) -> [[Unicode.Scalar]] {
    var parts: [[Unicode.Scalar]] = [[]]
    for scalar in word {
      let isSymbol = scalar.isASCII && !CharacterSet.alphanumerics.contains(scalar)
      if isSymbol || CharacterSet.punctuationCharacters.contains(scalar) {
        parts += [[scalar], []]
      } else {
        parts[parts.count - 1].append(scalar)
      }
    }
    return parts.filter { !$0.isEmpty }
  }

  private func pieces(of word: [Unicode.Scalar]) -> [Int32] {
    let unknown = tokens[Array("[UNK]".unicodeScalars)].map { [$0] } ?? []
    if word.count > 100 { return unknown }
    var ids: [Int32] = []
    var rest = word[...]
    while !rest.isEmpty {
      let prefix = ids.isEmpty ? [] : Array("##".unicodeScalars)
      let lengths = (1...rest.count).reversed()
      guard let length = lengths.first(where: { tokens[prefix + rest.prefix($0)] != nil }),
        let id = tokens[prefix + rest.prefix(length)]
      else { return unknown }
      ids.append(id)
      rest = rest.dropFirst(length)
    }
    return ids
  }
}

extension CharacterSet {
  fileprivate static let ideographs = CharacterSet(charactersIn: "\u{3400}"..."\u{4DB5}")
    .union(CharacterSet(charactersIn: "\u{4E00}"..."\u{9FA5}"))
    .union(CharacterSet(charactersIn: "\u{F900}"..."\u{FA2D}"))
    .union(CharacterSet(charactersIn: "\u{20000}"..."\u{2A6D6}"))
}
