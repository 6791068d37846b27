import Platform

/// The records of a file of comma-separated values (RFC 4180), one by one.
///
///     var records = CSVRecords(file)
///     while let (line, fields) = try records.next() { use(fields) }
///
/// A field that begins with a quotation mark ends at the next single one: it may contain commas and
/// line breaks, and a doubled quotation mark stands for one. In other fields a quotation mark is
/// text. Blank lines are skipped. All records have as many fields as the first.
struct CSVRecords {
  private let path: String
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  /// The number of fields of the first record; nil before it.
  private var fieldCount: Int?

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let lineFeed = UInt8(ascii: "\n")

  init(_ file: TextFile) { (path, bytes) = (file.path, file.contents) }

  /// The next record and the line on which it begins, from 1; nil at the end.
  ///
  /// Throws `openQuote`, `textAfterQuote` and `fieldCount`, which name the line.
  mutating func next() throws(FinetuningError) -> (line: Int, fields: [ArraySlice<UInt8>])? {
    skipBlankLines()
    guard index < bytes.count else { return nil }
    let first = line
    var fields = [try field()]
    while index < bytes.count && bytes[index] == Self.comma {
      index += 1
      fields.append(try field())
    }
    skipLineEnd()
    let expected = fieldCount ?? fields.count
    if fields.count != expected {
      throw .fieldCount(path: path, line: first, found: fields.count, expected: expected)
    }
    fieldCount = expected
    return (first, fields)
  }

  private mutating func skipBlankLines() {
    while index < bytes.count {
      let end = lineEnd(from: index)
      let rest = bytes[index..<end]
      guard (rest.last == UInt8(ascii: "\r") ? rest.dropLast() : rest).isBlank else { return }
      index = end
      skipLineEnd()
    }
  }

  /// The index of the line feed at or after `start`, or the end of the file.
  private func lineEnd(from start: Int) -> Int {
    bytes[start...].firstIndex(of: Self.lineFeed) ?? bytes.count
  }

  /// Skips LF or CR LF.
  private mutating func skipLineEnd() {
    if index < bytes.count && bytes[index] == UInt8(ascii: "\r") { index += 1 }
    guard index < bytes.count else { return }
    index += 1
    line += 1
  }

  /// Whether a field ends at `index`: before a comma, a line end or the end of the file.
  private var isAtFieldEnd: Bool {
    guard index < bytes.count else { return true }
    if bytes[index] == Self.comma || bytes[index] == Self.lineFeed { return true }
    guard bytes[index] == UInt8(ascii: "\r") else { return false }
    return index + 1 == bytes.count || bytes[index + 1] == Self.lineFeed
  }

  private mutating func field() throws(FinetuningError) -> ArraySlice<UInt8> {
    if index < bytes.count && bytes[index] == Self.quote { return try quotedField()[...] }
    let start = index
    while !isAtFieldEnd { index += 1 }
    return bytes[start..<index]
  }

  private mutating func quotedField() throws(FinetuningError) -> [UInt8] {
    let opened = line
    var text: [UInt8] = []
    index += 1
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == Self.quote {
        guard index < bytes.count && bytes[index] == Self.quote else {
          if !isAtFieldEnd { throw .textAfterQuote(path: path, line: line) }
          return text
        }
        index += 1
      }
      if byte == Self.lineFeed { line += 1 }
      text.append(byte)
    }
    throw .openQuote(path: path, line: opened)
  }
}

extension TextFile {
  /// Whether the file is comma-separated, by its name.
  var isCSV: Bool { Self.isNamed(path, [".csv"]) }

  /// Calls `body` with the line number and the fields of each row that is not blank.
  ///
  /// Rows are tab-separated without quoting, or comma-separated if the file's name ends in `.csv`.
  /// Throws what `CSVRecords` and `body` throw.
  func forEachRow(_ body: (Int, [ArraySlice<UInt8>]) throws -> Void) throws {
    if isCSV {
      var records = CSVRecords(self)
      while let (line, fields) = try records.next() { try body(line, fields) }
      return
    }
    try forEachLine { number, line in
      if line.isBlank { return }
      try body(number, line.tabSeparated)
    }
  }
}

extension ArraySlice<UInt8> {
  /// The fields of a line in which tabs separate them; empty ones are kept.
  var tabSeparated: [ArraySlice<UInt8>] {
    split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
  }
}
