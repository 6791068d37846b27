import Foundation
import Platform

/// How examples with an empty label are treated (`--empty-labels`).
package enum EmptyLabels: String, Sendable, CaseIterable {
  /// Reading fails and names the line.
  case stop
  /// The example is left out and counted.
  case skip
}

/// The rows of a table of texts or pairs.
struct TextRows {
  struct Row: Equatable {
    let line: Int
    let first: String
    let second: String?
    /// The label or score as written, without surrounding blanks; nil if it is absent or empty.
    let label: String?
    /// The row's identifier in a file of predictions.
    let index: String
  }

  private(set) var rows: [Row] = []
  private(set) var shortLines: [Int] = []
  /// The lines that were skipped because their label is empty.
  private(set) var emptyLines: [Int] = []

  /// Reads a file; in a test file labels, or their column, may be absent.
  ///
  /// Throws `emptyLabel` unless such rows are skipped, and what `Table` throws.
  init(
    _ file: TaskFile, _ columns: Columns, skipsShortRows: Bool, emptyLabels: EmptyLabels
  ) throws {
    var requests = [Table.Request(column: columns.first)]
    func request(_ column: Column?, isOptional: Bool = false, mayBeEmpty: Bool = false) -> Int? {
      guard let column else { return nil }
      requests.append(Table.Request(column: column, isOptional: isOptional, mayBeEmpty: mayBeEmpty))
      return requests.count - 1
    }
    let second = request(columns.second)
    let isTest = file.split.role == .test
    let label = request(
      columns.label, isOptional: isTest, mayBeEmpty: isTest || emptyLabels == .skip)
    let index = request(columns.index, isOptional: true)
    let identifiers =
      file.split.rows == .all
      ? [] : [request(.named("#1 ID")), request(.named("#2 ID"))].compactMap { $0 }
    let listed = identifiers.isEmpty ? [] : try Self.listedRows(beside: file.path)
    let table = try Table(TextFile(file), requests, skipsShortRows: skipsShortRows)
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

  /// The pairs of identifiers in the file `dev_ids.tsv` of the same folder.
  private static func listedRows(beside path: String) throws -> Set<[String]> {
    let folder = (path as NSString).deletingLastPathComponent
    let list = (folder as NSString).appendingPathComponent("dev_ids.tsv")
    let requests = [Table.Request(column: .number(0)), Table.Request(column: .number(1))]
    return Set(try Table(TextFile(path: list), requests).rows.map { $0.fields.map { $0 ?? "" } })
  }
}
