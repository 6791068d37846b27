import Foundation

/// The rows of a table of texts or pairs.
struct TextRows {
  struct Row: Equatable {
    let line: Int
    let first: String
    let second: String?
    /// The label or score as the file has it, without blanks at its ends; nil where there is none.
    let label: String?
    /// What stands beside the answer in a file of predictions.
    let index: String
  }

  private(set) var rows: [Row] = []
  private(set) var shortLines: [Int] = []

  /// Reads a file; in a test file the label's column may be absent.
  init(_ file: TaskFile, _ columns: Columns, skipsShortRows: Bool) throws {
    var wants = [Table.Want(column: columns.first)]
    func want(_ column: Column?, isOptional: Bool = false) -> Int? {
      guard let column else { return nil }
      wants.append(Table.Want(column: column, isOptional: isOptional))
      return wants.count - 1
    }
    let second = want(columns.second)
    let label = want(columns.label, isOptional: file.split.role == .test)
    let index = want(columns.index, isOptional: true)
    let identifiers =
      file.split.rows == .all
      ? [] : [want(.named("#1 ID")), want(.named("#2 ID"))].compactMap { $0 }
    let listed = identifiers.isEmpty ? [] : try Self.listedRows(beside: file.path)
    let table = try Table(TextFile(path: file.path), wants, skipsShortRows: skipsShortRows)
    shortLines = table.shortLines
    for row in table.rows {
      let isListed = listed.contains(identifiers.map { row.fields[$0] ?? "" })
      if !identifiers.isEmpty && isListed != (file.split.rows == .listed) { continue }
      rows.append(
        Row(
          line: row.line, first: row.fields[0] ?? "", second: second.flatMap { row.fields[$0] },
          label: label.flatMap { row.fields[$0] }?.trimmingCharacters(in: .whitespaces),
          index: index.flatMap { row.fields[$0] } ?? String(rows.count)))
    }
  }

  /// The pairs of identifiers in `dev_ids.tsv`, which lies in the same folder.
  private static func listedRows(beside path: String) throws -> Set<[String]> {
    let folder = (path as NSString).deletingLastPathComponent
    let list = (folder as NSString).appendingPathComponent("dev_ids.tsv")
    let wants = [Table.Want(column: .number(0)), Table.Want(column: .number(1))]
    return Set(try Table(TextFile(path: list), wants).rows.map { $0.fields.map { $0 ?? "" } })
  }
}
