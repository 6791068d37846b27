// JSON of a task's enums with associated values. It is written by hand, because synthesised JSON
// nests each value under the key "_0".

extension Layout: Codable {
  private enum CodingKeys: String, CodingKey { case table, words, questions }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    if let columns = try values.decodeIfPresent(Columns.self, forKey: .table) {
      self = .table(columns)
    } else if let columns = try values.decodeIfPresent(WordColumns.self, forKey: .words) {
      self = .words(columns)
    } else {
      _ = try values.decode(Bool.self, forKey: .questions)
      self = .questions
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .table(let columns): try values.encode(columns, forKey: .table)
    case .words(let columns): try values.encode(columns, forKey: .words)
    case .questions: try values.encode(true, forKey: .questions)
    }
  }
}

/// A name is encoded as a string, an index as a number.
extension Column: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let index = try? container.decode(Int.self) {
      self = Column(String(index))
    } else {
      self = .named(try container.decode(String.self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .named(let name): try container.encode(name)
    case .number(let index): try container.encode(index)
    }
  }
}
