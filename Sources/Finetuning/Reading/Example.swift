/// The labels (or tags) of a head's outputs: label i is output i.
package struct LabelSet: Sendable, Equatable, Codable {
  package let names: [String]
  private let places: [String: Int]

  package init(_ names: [String]) {
    self.names = names
    places = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
  }

  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode([String].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(names)
  }

  package var count: Int { names.count }

  /// The place of a label; nil if it is none of these.
  package func index(of name: String) -> Int? { places[name] }
}

/// What a sequence should be answered with.
package enum Target: Sendable, Equatable {
  /// Not known: test data.
  case none
  /// The place of the label among the labels.
  case label(Int)
  /// The score, already divided by the task's `scoreScale`.
  case score(Float)
  /// For each token of the sequence the place of its tag, -1 where none is asked for.
  case tags([Int32])
  /// The first and last token of the answer; 0, 0 (the `[CLS]`) where the sequence holds none.
  case span(start: Int, end: Int)
}

/// One sequence as the encoder takes it: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
package struct EncodedExample: Sendable, Equatable {
  /// Token ids. (T)
  package var tokens: [Int32]
  /// Segment ids: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`. (T)
  package var types: [UInt8]
  package var target: Target
}
