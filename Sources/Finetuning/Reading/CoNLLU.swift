import Platform

/// The format of Universal Dependencies (CoNLL-U and CoNLL-U Plus), recognised by its content.
///
/// Columns are separated by tabs and have names. Lines that begin with `#` are comments. A line
/// whose ID is a range (`1-2`, a multiword token) or a decimal number (`1.1`, an empty node) is not
/// a word of the sentence.
struct CoNLLU {
  /// The names of the columns, in upper case.
  private let names: [String]

  private static let usualNames = [
    "ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC",
  ]
  /// The first line of CoNLL-U Plus, which names the columns.
  private static let header = "# global.columns ="

  /// Nil if the file has another format.
  init?(_ file: TextFile) {
    guard let first = file.firstLine(where: { _ in true }) else { return nil }
    if first.starts(with: Self.header.utf8) {
      names = String(decoding: first.dropFirst(Self.header.utf8.count), as: UTF8.self)
        .split(separator: " ").map { $0.uppercased() }
      return
    }
    let line = file.firstLine { !$0.isBlank && !Self.isComment($0) }
    let fields = line?.tabSeparated ?? []
    guard fields.count == Self.usualNames.count, Self.isIdentifier(fields[0]) else { return nil }
    names = Self.usualNames
  }

  static func isComment(_ line: ArraySlice<UInt8>) -> Bool { line.first == UInt8(ascii: "#") }

  /// Whether a line with these fields is a word of the sentence.
  func isWord(_ fields: [ArraySlice<UInt8>]) -> Bool {
    guard let column = index(of: "ID"), column < fields.count else { return true }
    return !Self.isIdentifier(fields[column]) || fields[column].allSatisfy(Self.isDigit)
  }

  /// Whether a field is an ID: digits with at most one `-` or `.` between them.
  private static func isIdentifier(_ field: ArraySlice<UInt8>) -> Bool {
    let parts = field.split(omittingEmptySubsequences: false) {
      $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
    return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// The index of the column with this name, ignoring case; nil if there is none.
  func index(of name: String) -> Int? { names.firstIndex(of: name.uppercased()) }

  /// Replaces the names of `columns` by the indices of the columns with these names.
  ///
  /// If no column has the name, the default indices, 0 and -1, select FORM and UPOS; other indices
  /// stay.
  func resolving(_ columns: WordColumns) -> WordColumns {
    var result = columns
    let word = index(of: columns.wordField) ?? (columns.word == 0 ? index(of: "FORM") : nil)
    let tag = index(of: columns.tagField) ?? (columns.tag == -1 ? index(of: "UPOS") : nil)
    if let word { result.word = word }
    if let tag { result.tag = tag }
    return result
  }
}
