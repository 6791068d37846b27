import Platform

/// Rows of a file, with the wanted columns only.
///
/// A file of JSON lines has an object a row. Any other is tab-separated; a quotation mark is text, and there
/// is a header if any column is wanted by name. Blank lines are passed over, as are columns that
/// nobody wants, so that a row may hold more than its header says.
struct Table {
  struct Row {
    let line: Int
    /// One for each wanted column; nil where the file or the row lacks an optional one.
    let fields: [String?]
  }

  /// A column that is wanted.
  struct Want {
    let column: Column
    /// Whether the whole file may lack it.
    var isOptional = false
    /// Whether a row may lack it, as one does whose last cell is empty and whose editor strips tabs.
    var mayBeEmpty = false
  }

  private(set) var rows: [Row] = []
  /// The lines that were passed over because they have too few columns.
  private(set) var shortLines: [Int] = []
  private let file: TextFile
  private let wants: [Want]
  private let skipsShortRows: Bool

  /// Reads a file. Throws `missingColumn`, `doubledColumn`, `shortRow` (unless those are skipped),
  /// `badField`, `notJSON` and `notUTF8`.
  init(_ file: TextFile, _ wants: [Want], skipsShortRows: Bool = false) throws {
    self.file = file
    self.wants = wants
    self.skipsShortRows = skipsShortRows
    try file.holdsObjects ? readObjects() : readLines()
  }

  private mutating func readLines() throws {
    let hasHeader = wants.contains { if case .named = $0.column { true } else { false } }
    var places: [Int?] = hasHeader ? [] : wants.map { $0.column.place }
    try file.forEachLine { number, line in
      if line.isBlank { return }
      let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      if places.isEmpty {
        places = try self.places(in: fields.map { try file.text($0, line: number) })
      } else {
        try add(fields, at: places, line: number)
      }
    }
    if rows.isEmpty && places.isEmpty { throw FinetuningError.noExamples(path: file.path) }
  }

  private func places(in header: [String]) throws(FinetuningError) -> [Int?] {
    var places: [Int?] = []
    for want in wants {
      guard case .named(let name) = want.column else {
        places.append(want.column.place)
        continue
      }
      let place = header.firstIndex(of: name)
      if place == nil && !want.isOptional {
        throw .missingColumn(path: file.path, column: name, header: header)
      }
      if place != header.lastIndex(of: name) {
        throw .doubledColumn(path: file.path, column: name)
      }
      places.append(place)
    }
    return places
  }

  private mutating func add(
    _ fields: [ArraySlice<UInt8>], at places: [Int?], line: Int
  ) throws {
    let needed =
      zip(places, wants).map { place, want in
        want.mayBeEmpty ? 1 : (place ?? 0) + 1
      }.max() ?? 1
    if fields.count < needed {
      if !skipsShortRows {
        throw FinetuningError.shortRow(
          path: file.path, line: line, found: fields.count, needed: needed)
      }
      return shortLines.append(line)
    }
    var texts: [String?] = []
    for place in places {
      texts.append(
        try place.map { place in
          place < fields.count ? try file.text(fields[place], line: line) : nil
        } ?? nil)
    }
    rows.append(Row(line: line, fields: texts))
  }

  private mutating func readObjects() throws {
    try file.forEachObject { number, object in
      let texts = try wants.map { want in
        let text = object[want.column.key]?.text
        let mayBeAbsent = want.isOptional || want.mayBeEmpty
        if text == nil && !(mayBeAbsent && object[want.column.key] == nil) {
          throw FinetuningError.badField(
            path: file.path, line: number, field: want.column.key, wanted: "a text or number")
        }
        return text
      }
      rows.append(Row(line: number, fields: texts))
    }
  }
}

extension Column {
  /// The place of a column that is wanted by its place.
  fileprivate var place: Int? {
    if case .number(let place) = self { place } else { nil }
  }

  /// The name of the column, or of the field in JSON lines.
  var key: String {
    switch self {
    case .named(let name): name
    case .number(let place): String(place)
    }
  }
}
