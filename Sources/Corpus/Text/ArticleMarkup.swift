/// The markup of WikiExtractor's output (github.com/attardi/wikiextractor): a line `<doc id="..."
/// url="..." title="...">` before each article and `</doc>` after it, and text in which `&`, `<`,
/// `>` and quotation marks are escaped as in HTML.
enum ArticleMarkup {
  /// Whether a line is the first or last of an article, and not text.
  static func isBorder(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    begins(line, "<doc id=\"") || begins(line, "</doc>")
  }

  private static func begins(_ line: UnsafeBufferPointer<UInt8>, _ prefix: StaticString) -> Bool {
    line.starts(with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
  }

  /// The escapes of Python's `html.escape`, which WikiExtractor uses, and their characters.
  private static let escapes: [(name: [UInt8], character: UInt8)] = [
    ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"),
  ].map { (Array(($0 as String).utf8), UInt8(ascii: $1)) }

  /// The text of a line, with the escapes replaced; other uses of `&` stay.
  static func text(_ line: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(line.count)
    var index = 0
    while index < line.count {
      let rest = line[index...]
      let escape =
        line[index] == UInt8(ascii: "&") ? escapes.first { rest.starts(with: $0.name) } : nil
      text.append(escape?.character ?? line[index])
      index += escape?.name.count ?? 1
    }
    return text
  }
}
