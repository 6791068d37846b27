/// A table in plain text whose columns are as wide as their widest cell.
///
///     var table = TextTable([("run", .left), ("step", .right)])
///     table.append(["base", "1,000"])
///     for line in table.lines { print(line) }
///
/// A cell has the width of its number of characters; no cell may contain a newline.
package struct TextTable {
  package enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// An empty table under the titles of its columns.
  package init(_ columns: [(title: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.title)]
  }

  /// Adds a row with one cell per column.
  package mutating func append(_ row: [String]) {
    precondition(row.count == alignments.count, "a row of \(row.count) cells")
    rows.append(row)
  }

  /// The titles and the rows as lines without spaces at their end.
  package var lines: [String] {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = alignments.indices.map { column in
        alignments[column] == .left
          ? row[column].leftAligned(widths[column]) : row[column].rightAligned(widths[column])
      }
      let line = cells.joined(separator: "  ")
      return String(
        line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
    }
  }
}
