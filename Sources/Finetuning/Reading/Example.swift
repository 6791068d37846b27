/// The labels or tags of a head's outputs: label i belongs to output i.
package struct LabelSet: Sendable, Equatable, Codable {
  package let names: [String]
  private let indices: [String: Int]

  package init(_ names: [String]) {
    self.names = names
    indices = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
  }

  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode([String].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(names)
  }

  package var count: Int { names.count }

  /// The index of a label, the first if it occurs twice; nil if it is not in the set.
  package func index(of name: String) -> Int? { indices[name] }
}

/// The gold answer of a sequence.
package enum Target: Sendable, Equatable {
  /// Unknown, as in test data.
  case none
  /// The index of the label in the `LabelSet`.
  case label(Int)
  /// The indices of several labels in the `LabelSet`, in rising order; empty for none of them.
  case labels([Int])
  /// The score, divided by the task's `scoreScale`.
  case score(Float)
  /// The index of each token's tag in the `LabelSet`; -1 for tokens without a tag. (T)
  case tags([Int32])
  /// The indices of the answer's first and last token; 0 and 0 (`[CLS]`) if the sequence holds no
  /// answer.
  case span(start: Int, end: Int)
}

/// One input sequence of the encoder: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
package struct EncodedExample: Sendable, Equatable {
  /// Token IDs. (T)
  package var tokens: [Int32]
  /// Segment IDs: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`. (T)
  package var segmentIDs: [UInt8]
  package var target: Target

  /// Joins the tokens of the segments, `[CLS] A [SEP]` and `B [SEP]`; `second` may be empty.
  init(_ first: [Int32], _ second: [Int32] = [], target: Target) {
    tokens = first + second
    segmentIDs =
      [UInt8](repeating: 0, count: first.count) + [UInt8](repeating: 1, count: second.count)
    self.target = target
  }
}
