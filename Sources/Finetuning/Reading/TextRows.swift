import Foundation
import Platform

/// What is done with examples whose label is empty.
package enum EmptyLabels: String, Sendable, CaseIterable {
  case stop, skip
}

/// The rows of a table of texts or pairs.
struct TextRows {
  struct Row: Equatable {
    let line: Int
    let first: String
    let second: String?
    /// The label or score as the file has it, without blanks at its ends; nil where it is absent or empty.
    let label: String?
    /// What stands beside the answer in a file of predictions.
    let index: String
  }

  private(set) var rows: [Row] = []
  private(set) var shortLines: [Int] = []
  /// The lines that were left out because their label is empty.
  private(set) var emptyLines: [Int] = []

  /// Reads a file; in a test file labels, or their column, may be absent. Throws `emptyLabel` unless such
  /// rows are left out, and what `Table` throws.
  init(
    _ file: TaskFile, _ columns: Columns, skipsShortRows: Bool, emptyLabels: EmptyLabels
  ) throws {
    var wants = [Table.Want(column: columns.first)]
    func want(_ column: Column?, isOptional: Bool = false, mayBeEmpty: Bool = false) -> Int? {
      guard let column else { return nil }
      wants.append(Table.Want(column: column, isOptional: isOptional, mayBeEmpty: mayBeEmpty))
      return wants.count - 1
    }
    let second = want(columns.second)
    let isTest = file.split.role == .test
    let label = want(
      columns.label, isOptional: isTest, mayBeEmpty: isTest || emptyLabels == .skip)
    let index = want(columns.index, isOptional: true)
    let identifiers =
      file.split.rows == .all
      ? [] : [want(.named("#1 ID")), want(.named("#2 ID"))].compactMap { $0 }
    let listed = identifiers.isEmpty ? [] : try Self.listedRows(beside: file.path)
    let table = try Table(TextFile(file), wants, skipsShortRows: skipsShortRows)
    shortLines = table.shortLines
    for row in table.rows {
      let isListed = listed.contains(identifiers.map { row.fields[$0] ?? "" })
      if !identifiers.isEmpty && isListed != (file.split.rows == .listed) { continue }
      let text = label.flatMap { row.fields[$0] }?.trimmingCharacters(in: .whitespaces)
      if label != nil && !isTest && text ?? "" == "" {
        if emptyLabels == .stop {
          throw FinetuningError.emptyLabel(path: file.path, line: row.line)
        }
        emptyLines.append(row.line)
        continue
      }
      rows.append(
        Row(
          line: row.line, first: row.fields[0] ?? "", second: second.flatMap { row.fields[$0] },
          label: text == "" ? nil : text,
          index: index.flatMap { row.fields[$0] } ?? String(rows.count + emptyLines.count)))
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
