/// A table of a page: the first column names, the others figures.
struct ReportTable {
  /// A cell: plain text, how it stands out, and a few words under it.
  struct Cell: ExpressibleByStringLiteral {
    var text: String
    var isBest = false
    var isText = false
    var note = ""

    init(_ text: String, isBest: Bool = false, isText: Bool = false, note: String = "") {
      (self.text, self.isBest, self.isText, self.note) = (text, isBest, isText, note)
    }

    init(stringLiteral value: String) { self.init(value) }
  }

  let head: [Cell]
  let rows: [[Cell]]

  /// As HTML, in a box that scrolls where the page is narrow.
  var html: String {
    func cell(_ cell: Cell, _ column: Int, _ tag: String) -> String {
      let kinds = [column == 0 || cell.isText ? "text" : nil, cell.isBest ? "best" : nil]
      let names = kinds.compactMap(\.self).joined(separator: " ")
      return "<\(tag)\(names.isEmpty ? "" : " class=\"\(names)\"")>\(cell.text.inXML)"
        + (cell.note.isEmpty ? "" : "<small>\(cell.note.inXML)</small>") + "</\(tag)>"
    }
    func row(_ cells: [Cell], _ tag: String) -> String {
      "<tr>" + cells.enumerated().map { cell($0.element, $0.offset, tag) }.joined() + "</tr>"
    }
    return """
      <div class="scroll"><table>
      <thead>\(row(head, "th"))</thead>
      <tbody>
      \(rows.map { row($0, "td") }.joined(separator: "\n"))
      </tbody></table></div>
      """
  }
}
