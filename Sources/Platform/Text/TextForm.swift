import Foundation

/// How a file is divided into texts.
package enum TextForm {
  /// Plain text: each line is a paragraph, blank lines separate documents.
  case lines
  /// JSON Lines: each line is an object, one field of which is a text.
  case jsonLines
  /// JSON objects, each on one or more lines, in sequence or in an array.
  case jsonObjects
  /// The output of WikiExtractor: lines, with `<doc ...>` and `</doc>` around each article.
  case articles

  /// Whether a text is a field of a JSON object.
  package var isJSON: Bool { self == .jsonLines || self == .jsonObjects }

  /// Recognizes the form of a file that begins with `head`.
  ///
  /// The name decides if it ends in `.jsonl`, `.ndjson` or `.json` (before the ending of a
  /// compressed file, ignoring case); otherwise the file is JSON if it begins with an object.
  package init(_ head: [UInt8], path: String) {
    if head.starts(with: Array("<doc id=\"".utf8)) {
      self = .articles
      return
    }
    let kind = Self.nameExtension(path)
    let start = head.firstIndex { !Self.isSpace($0) } ?? head.endIndex
    let begins = Self.beginsWithObject(head)
    guard begins == true || ["jsonl", "ndjson", "json"].contains(kind) else {
      self = .lines
      return
    }
    let first = start < head.endIndex ? head[start] : 0
    if first == UInt8(ascii: "[") && (begins == true || kind == "json") {
      self = .jsonObjects
    } else if first == UInt8(ascii: "{") && kind != "jsonl" && kind != "ndjson",
      let end = head[start...].firstIndex(of: 0x0A),
      head[start..<end].last(where: { !Self.isSpace($0) }) != UInt8(ascii: "}")
    {
      self = .jsonObjects
    } else {
      self = .jsonLines
    }
  }

  /// Whether `head` is long enough to recognize the form.
  static func isDecided(_ head: [UInt8]) -> Bool {
    guard let start = head.firstIndex(where: { !isSpace($0) }),
      head[start...].contains(0x0A)
    else { return false }
    return beginsWithObject(head) != nil
  }

  /// Whether `head` begins with a JSON object that has a member, alone or in an array; nil if too
  /// short.
  ///
  /// It looks for `{"key":`, which plain text does not begin with by chance.
  private static func beginsWithObject(_ head: [UInt8]) -> Bool? {
    var rest = head.drop(while: isSpace)
    guard let first = rest.first else { return nil }
    if first == UInt8(ascii: "[") {
      rest = rest.dropFirst().drop(while: isSpace)
      if rest.isEmpty { return nil }
    }
    guard rest.first == UInt8(ascii: "{") else { return false }
    rest = rest.dropFirst().drop(while: isSpace)
    guard let quote = rest.popFirst() else { return nil }
    guard quote == UInt8(ascii: "\"") else { return false }
    while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
      if byte == 0x0A { return false }
      if byte == UInt8(ascii: "\\") { rest = rest.dropFirst() }
    }
    return rest.first { !isSpace($0) }.map { $0 == UInt8(ascii: ":") }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  /// The file name extension in lower case, without that of a compressed file.
  private static func nameExtension(_ path: String) -> String {
    let name = FileContent.nameWithoutCompression((path as NSString).lastPathComponent)
    return (name as NSString).pathExtension
  }
}
