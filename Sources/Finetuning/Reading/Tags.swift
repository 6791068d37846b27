/// Converts tags in the schemes BIO, BIOES and BILOU to entities or chunks, and entities to tags.
///
/// BILOU is BIOES with the letters L (last) for E and U (unit) for S.
///
/// Entities follow the rules of conlleval and of seqeval's default mode: an entity also begins
/// where the kind changes, or at an `I-` after `O`. So entities are defined for every sequence of
/// tags, valid or not.
package enum Tags {
  /// An entity of `kind` that consists of the words `range`.
  package struct Entity: Hashable {
    package let kind: Substring
    package let range: Range<Int>
  }

  /// Splits a tag: `B-NP` is `B` and `NP`, `U-NP` is `S` and `NP`; `O` has the kind `_`.
  private static func parts(_ tag: String) -> (prefix: Character, kind: Substring) {
    let rest = tag.dropFirst()
    let kind = rest.firstIndex(of: "-").map { rest[rest.index(after: $0)...] } ?? rest
    let prefix = tag.first ?? "O"
    let standard = rest.first == "-" ? bioesPrefixes[prefix] : nil
    return (standard ?? prefix, kind.isEmpty ? "_" : kind)
  }

  /// The prefix in BIOES for each prefix that only BILOU has.
  private static let bioesPrefixes: [Character: Character] = ["L": "E", "U": "S"]

  /// The entities of a sentence's tags, in order.
  package static func entities(_ tags: [String]) -> [Entity] {
    var entities: [Entity] = []
    var (prefix, kind): (Character, Substring) = ("O", "")
    var start = 0
    // The final `O` ends an entity at the end of the sentence.
    for (index, tag) in (tags + ["O"]).enumerated() {
      let (nextPrefix, nextKind) = parts(tag)
      let isInside = prefix != "O" && prefix != "."
      let differs = kind != nextKind
      let ends =
        "ES".contains(prefix) || ("BI".contains(prefix) && "BSO".contains(nextPrefix))
        || (isInside && differs)
      if ends { entities.append(Entity(kind: kind, range: start..<index)) }
      let begins =
        "BS".contains(nextPrefix) || ("ESO".contains(prefix) && "EI".contains(nextPrefix))
        || (nextPrefix != "O" && nextPrefix != "." && differs)
      if begins { start = index }
      (prefix, kind) = (nextPrefix, nextKind)
    }
    return entities
  }

  /// Whether every tag is `O` or has a prefix of BIOES or BILOU and a kind.
  static func areEntityTags(_ tags: [String]) -> Bool {
    tags.allSatisfy { tag in
      tag == "O"
        || ["B-", "I-", "E-", "S-", "L-", "U-"].contains { tag.hasPrefix($0) && tag.count > 2 }
    }
  }

  /// Whether any tag occurs in BIOES or BILOU only, and not in BIO.
  static func markEnds(_ tags: [String]) -> Bool {
    tags.contains { tag in ["E-", "S-", "L-", "U-"].contains { tag.hasPrefix($0) } }
  }

  /// The tags of `count` words in the scheme BIO, or BIOES.
  package static func tags(of entities: [Entity], count: Int, bioes: Bool) -> [String] {
    var tags = [String](repeating: "O", count: count)
    for entity in entities {
      for word in entity.range { tags[word] = "I-" + entity.kind }
      let last = entity.range.upperBound - 1
      if bioes { tags[last] = "E-" + entity.kind }
      let isSingle = entity.range.count == 1
      tags[entity.range.lowerBound] = (bioes && isSingle ? "S-" : "B-") + entity.kind
    }
    return tags
  }
}
