import Platform

/// The rows of a file, reduced to the requested columns.
///
/// JSON lines and arrays have one object per row. A file whose name ends in `.csv` is
/// comma-separated (`CSVRecords`). Any other file is tab-separated without quoting: a quotation
/// mark is text. A table has a header if any column is requested by name. Blank lines and other
/// columns are ignored, so a row of a tab-separated file may have more cells than the header.
struct Table {
  struct Row {
    let line: Int
    /// One field for each requested column; nil if the file or the row lacks an optional column.
    let fields: [JSONField?]

    /// The text of a field; nil for a list, or if the field is absent.
    func text(_ index: Int) -> String? { fields[index]?.text }
  }

  /// A requested column.
  struct Request {
    let column: Column
    /// Whether the whole file may lack it.
    var isOptional = false
    /// Whether a row may lack it: an editor that strips trailing tabs removes an empty last cell.
    var mayBeEmpty = false
    /// Whether a field of a JSON object may be a list of texts instead of a text.
    var mayBeList = false
  }

  private(set) var rows: [Row] = []
  /// The lines that were skipped because they have too few columns.
  private(set) var shortLines: [Int] = []
  private let file: TextFile
  private let requests: [Request]
  private let skipsShortRows: Bool

  /// Reads the requested columns of a file.
  ///
  /// Throws `missingColumn`, `duplicateColumn`, `shortRow` (unless `skipsShortRows`), `badField`,
  /// `notJSON`, `notUTF8` and what `CSVRecords` throws.
  init(_ file: TextFile, _ requests: [Request], skipsShortRows: Bool = false) throws {
    self.file = file
    self.requests = requests
    self.skipsShortRows = skipsShortRows
    try file.holdsObjects ? readObjects() : readRows()
  }

  private mutating func readRows() throws {
    let hasHeader = requests.contains { if case .named = $0.column { true } else { false } }
    var indices: [Int?] = hasHeader ? [] : requests.map { $0.column.index }
    try file.forEachRow { number, fields in
      if indices.isEmpty {
        indices = try self.indices(in: fields.map { try file.text($0, line: number) })
      } else {
        try add(fields, at: indices, line: number)
      }
    }
    if rows.isEmpty && indices.isEmpty { throw FinetuningError.noExamples(path: file.path) }
  }

  /// The index of each requested column in the header; nil for an optional column that is missing.
  private func indices(in header: [String]) throws(FinetuningError) -> [Int?] {
    var indices: [Int?] = []
    for request in requests {
      guard case .named(let name) = request.column else {
        indices.append(request.column.index)
        continue
      }
      let index = header.firstIndex(of: name)
      if index == nil && !request.isOptional {
        throw .missingColumn(path: file.path, column: name, header: header)
      }
      if index != header.lastIndex(of: name) {
        throw .duplicateColumn(path: file.path, column: name)
      }
      indices.append(index)
    }
    return indices
  }

  private mutating func add(
    _ fields: [ArraySlice<UInt8>], at indices: [Int?], line: Int
  ) throws {
    let needed =
      zip(indices, requests).map { index, request in
        request.mayBeEmpty ? 1 : (index ?? 0) + 1
      }.max() ?? 1
    if fields.count < needed {
      if !skipsShortRows {
        throw FinetuningError.shortRow(
          path: file.path, line: line, found: fields.count, needed: needed)
      }
      return shortLines.append(line)
    }
    let texts: [JSONField?] = try indices.map { index in
      guard let index, index < fields.count else { return nil }
      return .text(try file.text(fields[index], line: line))
    }
    rows.append(Row(line: line, fields: texts))
  }

  private mutating func readObjects() throws {
    try file.forEachObject { number, object in
      let fields = try requests.map { request in
        let field = object[request.column.key]
        let isList = request.mayBeList && field?.texts != nil
        let mayBeAbsent = request.isOptional || request.mayBeEmpty && !request.mayBeList
        if field?.text == nil && !isList && !(mayBeAbsent && field == nil) {
          throw FinetuningError.badField(
            path: file.path, line: number, field: request.column.key,
            wanted: request.mayBeList ? "a text or a list of texts" : "a text or number")
        }
        return field
      }
      rows.append(Row(line: number, fields: fields))
    }
  }
}

extension Column {
  /// The index of a column that is requested by index; nil for a name.
  fileprivate var index: Int? {
    if case .number(let index) = self { index } else { nil }
  }

  /// The name of the column, or of the field in JSON.
  var key: String {
    switch self {
    case .named(let name): name
    case .number(let index): String(index)
    }
  }
}
