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
    /// The label or score as written, or the labels, without surrounding blanks; nil if unknown.
    fileprivate(set) var labels: [String]?
    /// The row's identifier in a file of predictions.
    let index: String
  }

  private(set) var rows: [Row] = []
  private(set) var shortLines: [Int] = []
  /// The lines that were skipped because their label is empty.
  private(set) var emptyLines: [Int] = []

  /// The indices of the requested columns in the rows of a `Table`.
  private struct Requests {
    var list: [Table.Request] = []

    mutating func add(
      _ column: Column?, isOptional: Bool = false, mayBeEmpty: Bool = false, mayBeList: Bool = false
    ) -> Int? {
      guard let column else { return nil }
      list.append(
        Table.Request(
          column: column, isOptional: isOptional, mayBeEmpty: mayBeEmpty, mayBeList: mayBeList))
      return list.count - 1
    }
  }

  /// Reads a file of `task`; in a test file labels, or their column, may be absent.
  ///
  /// An example of a multilabel task may have no label; if no row of a test file has one, they are
  /// unknown. For other tasks throws `emptyLabel` unless such rows are skipped; throws what `Table`
  /// throws.
  init(_ file: TaskFile, _ columns: Columns, of task: Task, emptyLabels: EmptyLabels) throws {
    let isTest = file.split.role == .test
    let isMultilabel = task.problem == .multilabel
    var requests = Requests()
    _ = requests.add(columns.first)
    let second = requests.add(columns.second)
    let label = requests.add(
      columns.label, isOptional: isTest,
      mayBeEmpty: isTest || isMultilabel || emptyLabels == .skip, mayBeList: isMultilabel)
    let index = requests.add(columns.index, isOptional: true)
    let identifiers =
      file.split.rows == .all
      ? [] : [requests.add(.named("#1 ID")), requests.add(.named("#2 ID"))].compactMap { $0 }
    let listed = identifiers.isEmpty ? [] : try Self.listedRows(beside: file.path)
    let table = try Table(TextFile(file), requests.list, skipsShortRows: task.skipsShortRows)
    shortLines = table.shortLines
    for row in table.rows {
      let isListed = listed.contains(identifiers.map { row.text($0) ?? "" })
      if !identifiers.isEmpty && isListed != (file.split.rows == .listed) { continue }
      let field = label.flatMap { row.fields[$0] }
      let labels = isMultilabel ? Self.several(field, isTest: isTest) : Self.single(field)
      if label != nil && !isTest && labels == nil {
        if emptyLabels == .stop {
          throw FinetuningError.emptyLabel(path: file.path, line: row.line)
        }
        emptyLines.append(row.line)
        continue
      }
      rows.append(
        Row(
          line: row.line, first: row.text(0) ?? "", second: second.flatMap(row.text),
          labels: labels,
          index: index.flatMap(row.text) ?? String(rows.count + emptyLines.count)))
    }
    if isTest { forgetEmptyLabels() }
  }

  /// Makes the labels unknown if no row has one, as in a test file that is to be labelled.
  private mutating func forgetEmptyLabels() {
    guard rows.allSatisfy({ $0.labels?.isEmpty ?? true }) else { return }
    for index in rows.indices { rows[index].labels = nil }
  }

  /// The only label of a field; nil if it is absent or empty.
  private static func single(_ field: JSONField?) -> [String]? {
    let text = field?.text?.trimmingCharacters(in: .whitespaces) ?? ""
    return text.isEmpty ? nil : [text]
  }

  /// The labels of a field: a list, or a text in which commas or vertical bars separate them.
  ///
  /// An absent field is an empty one, except in a test file, whose labels may be unknown: nil.
  private static func several(_ field: JSONField?, isTest: Bool) -> [String]? {
    guard let field else { return isTest ? nil : [] }
    let names =
      field.texts ?? field.text?.split { ",|".contains($0) }.map(String.init) ?? []
    return names.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  /// The pairs of identifiers in the file `dev_ids.tsv` of the same folder.
  private static func listedRows(beside path: String) throws -> Set<[String]> {
    let folder = (path as NSString).deletingLastPathComponent
    let list = (folder as NSString).appendingPathComponent("dev_ids.tsv")
    let requests = [Table.Request(column: .number(0)), Table.Request(column: .number(1))]
    return Set(
      try Table(TextFile(path: list), requests).rows.map { row in [0, 1].map { row.text($0) ?? "" }
      })
  }
}
