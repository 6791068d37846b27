/// A table of a page: names in the first column, values in the others.
struct ReportTable {
  /// A cell: plain text, its emphasis, and a note below it.
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

  /// The table as HTML, in a box that scrolls on a narrow page.
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
