import Foundation

/// How texts lie in a file.
package enum TextForm {
  /// A line is a text; blank lines end documents.
  case lines
  /// A line is a JSON object, of which one field is a text.
  case jsonLines
  /// JSON objects on one or more lines, alone or in an array.
  case jsonObjects

  /// The form of a file that begins with `head`: known by the name (`.jsonl`, `.ndjson`, `.json`,
  /// also packed, in any case of letters), and otherwise by a first object.
  init(_ head: [UInt8], path: String) {
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

  /// Whether more bytes would not change the form.
  static func isDecided(_ head: [UInt8]) -> Bool {
    guard let start = head.firstIndex(where: { !isSpace($0) }),
      head[start...].contains(0x0A)
    else { return false }
    return beginsWithObject(head) != nil
  }

  /// Whether `head` begins as a JSON object with a member does, alone or in an array; nil when it is
  /// too short to say. No text begins like this by chance.
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

  /// The extension in small letters, without that of a packing.
  private static func nameExtension(_ path: String) -> String {
    var name = (path as NSString).lastPathComponent.lowercased() as NSString
    if ["gz", "xz"].contains(name.pathExtension) { name = name.deletingPathExtension as NSString }
    return name.pathExtension
  }
}
