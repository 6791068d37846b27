import Corpus
import Foundation
import TestSupport
import Testing

/// Lines and strings of JSON objects, compared with Foundation and Python.
struct TextLinesTests {
  /// All texts of a file, or the error that ends them.
  private func read(_ bytes: [UInt8], as name: String) throws -> (texts: [String], error: String) {
    let folder = try TemporaryFolder()
    let lines = try TextLines(path: try folder.write(bytes, name))
    var texts: [String] = []
    do {
      while let text = try lines.next() { texts.append(text) }
    } catch {
      return (texts, "\(error)".replacingOccurrences(of: folder.path + "/", with: ""))
    }
    return (texts, "")
  }

  /// A JSON string of random characters, each as itself or as one of its escapes.
  private func string(_ draws: inout Draws) -> String {
    let scalars: [Unicode.Scalar] = [
      "a", "\"", "\\", "/", "\u{8}", "\u{C}", "\n", "\r", "\t", "{", "}", "[", "]", ",", ":", "é",
      "漢", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "😀", "\u{10FFFF}", "\u{1}", "\u{301}",
    ]
    return (0..<Int.random(in: 0..<12, using: &draws)).map { _ in
      let scalar = scalars.randomElement(using: &draws) ?? "a"
      let units = UTF16.encode(scalar)?.map { String(format: "\\u%04x", $0) }.joined() ?? ""
      let short: [Unicode.Scalar: String] = [
        "\"": #"\""#, "\\": #"\\"#, "/": #"\/"#, "\u{8}": #"\b"#, "\u{C}": #"\f"#, "\n": #"\n"#,
        "\r": #"\r"#, "\t": #"\t"#,
      ]
      let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
      switch Int.random(in: 0..<3, using: &draws) {
      case 0: return units.uppercased().replacingOccurrences(of: "\\U", with: "\\u")
      case 1: return short[scalar] ?? units
      default: return mustEscape ? units : String(scalar)
      }
    }.joined()
  }

  /// In lists, pretty-printed or one per line, and across the boundaries of the blocks that are
  /// read.
  @Test(arguments: ["", "\n  ", " "])
  func stringsAreWhatFoundationReads(space: String) throws {
    struct Object: Decodable { let text: String }
    var draws = Draws(state: 9)
    let objects = (0..<6000).map { _ in
      #"{\#(space)"id":[1,{"text":"no"}],"other":"}]\"","text":"\#(string(&draws))"\#(space)}"#
    }
    let expected = try objects.map {
      try JSONDecoder().decode(Object.self, from: Data($0.utf8)).text
    }
    let list = "[" + objects.joined(separator: ",\n") + "]\n"
    for (text, name) in [(list, "a.json"), (objects.joined(separator: "\n") + "\n", "b.json")] {
      let (texts, error) = try read(Array(text.utf8), as: name)
      #expect(error == "")
      #expect(
        texts.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(name), \(space)")
    }
  }

  @Test(arguments: [
    #"\ud800"#, #"\udc00"#, #"\ud800x"#, #"\ud83d\ud83d"#, #"\udbff\n"#, #"a\udfff\ud800"#,
  ])
  func halfOfASurrogatePairIsNamed(text: String) throws {
    let object = #"{"text": "fine"}"# + "\n" + #"{"text": "\#(text)"}"# + "\n"
    let (texts, error) = try read(Array(object.utf8), as: "a.jsonl")
    #expect(texts == ["fine"])
    let escape = text.hasPrefix("a") ? #"\udfff"# : String(text.prefix(6))
    #expect(error.contains("line 2") && error.contains("holds \(escape), half of"), "\(error)")
  }

  /// Text is rejected exactly where Swift's own decoder would repair it.
  @Test
  func theFirstByteThatIsNotUTF8IsFound() throws {
    var draws = Draws(state: 4)
    let pieces: [[UInt8]] = [
      [0x61], [0x20], [0xC3, 0xA9], [0xE6, 0xBC, 0xA2], [0xF0, 0x9F, 0x98, 0x80], [0x80], [0xC0],
      [0xC1], [0xE0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90], [0xF5], [0xFF], [0xE6, 0xBC], [0xF0],
    ]
    for round in 0..<400 {
      let count = Int.random(in: 1...4, using: &draws)
      let bytes = (0..<count).reduce(into: [UInt8(0x61)]) { bytes, _ in
        bytes += pieces.randomElement(using: &draws) ?? []
      }
      let (texts, error) = try read(bytes + [0x0A], as: "a.txt")
      if let text = String(validating: bytes, as: UTF8.self) {
        #expect(texts == [text] && error == "", "round \(round)")
      } else {
        // The longest prefix of whole characters.
        let sound = bytes.indices.last {
          String(validating: bytes[..<$0], as: UTF8.self) != nil
        }
        #expect(error.contains("line 1: byte \((sound ?? 0) + 1) (0x"), "round \(round): \(error)")
        #expect(texts.isEmpty)
      }
    }
  }

  /// Python's `str.isspace`, for all characters below U+3100.
  @Test
  func linesOfWhiteSpaceEndDocuments() throws {
    let spaces = Set<UInt32>(
      Array(0x09...0x0D) + Array(0x1C...0x20) + [0x85, 0xA0, 0x1680] + Array(0x2000...0x200A)
        + [0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
    let scalars = (1..<0x3100 as Range<UInt32>).filter { $0 != 0x0A }
      .compactMap(Unicode.Scalar.init)
    let text = scalars.map { "a\n\($0)\u{20}\($0)\nb\n" }.joined()
    let folder = try TemporaryFolder()
    let reader = try TextReader(
      paths: [try folder.write(text, "a.txt")], options: .init(invalidText: .stop))
    var documents = 0
    while let block = try reader.next() { documents += block.documents.count }
    #expect(documents == 1 + scalars.count { spaces.contains($0.value) })
  }
}
