import Collectives
import Platform

/// Minimal pairs: an acceptable sentence and one that is not and differs little from it.
///
/// (Warstadt et al. 2020, "BLiMP: The Benchmark of Linguistic Minimal Pairs for English".)
///
///     let pairs = try MinimalPairs(path: path, contents: bytes)
///     pairs.pairs[0].good                          // "The cats sleep."
///
/// The file has tabs between its columns. Its first line names the columns `good`, `bad` and, if
/// there is one, `phenomenon`, in any order and among others; or there is no such line and every
/// line has two columns, the good sentence first.
package struct MinimalPairs: Sendable {
  /// Two sentences and their line in the file.
  package struct Pair: Sendable, Equatable {
    package let good: String
    package let bad: String
    /// The index in `phenomena`; 0 in a file without that column.
    package let phenomenon: Int
    /// The number of the line, from 1.
    package let line: Int
  }

  /// The file, for errors.
  package let path: String
  package private(set) var pairs: [Pair] = []
  /// The phenomena in the order of their first pairs; empty in a file without that column.
  package private(set) var phenomena: [String] = []

  /// The indices of the columns.
  private struct Columns {
    var good = 0
    var bad = 1
    var phenomenon: Int?
    /// Whether a line may have further columns.
    var areNamed = false
  }

  /// Reads the file on rank zero, for all ranks.
  ///
  /// Every rank must call it. Throws as `init`, and `FileError` for a missing file.
  package static func read(_ path: String, _ world: Communicator) throws -> MinimalPairs {
    let bytes = try world.agree { world.rank == 0 ? try TextFile(path: path).contents : [] }
    let contents = try world.broadcast(bytes)
    return try world.agree { try MinimalPairs(path: path, contents: contents) }
  }

  /// Reads the lines of `contents`; blank lines are ignored.
  ///
  /// Throws `TextError` with the line for one that is not two different sentences, and for a file
  /// without pairs.
  package init(path: String, contents: [UInt8]) throws {
    self.path = path
    let file = TextFile(path: path, contents: contents)
    var columns: Columns?
    var indices: [String: Int] = [:]
    try file.forEachLine { number, line in
      if line.isBlank { return }
      let cells = try line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        .map { try file.text($0.trimmed, line: number) }
      if columns == nil {
        columns = Self.header(cells) ?? Columns()
        if columns?.areNamed == true { return }
      }
      try add(cells, columns ?? Columns(), line: number, &indices)
    }
    if pairs.isEmpty { throw TextError.unusable(path: path, reason: "it has no pairs") }
  }

  /// The columns that the first line names; nil if it names none.
  private static func header(_ cells: [String]) -> Columns? {
    guard let good = cells.firstIndex(of: "good"), let bad = cells.firstIndex(of: "bad") else {
      return nil
    }
    return Columns(
      good: good, bad: bad, phenomenon: cells.firstIndex(of: "phenomenon"), areNamed: true)
  }

  private mutating func add(
    _ cells: [String], _ columns: Columns, line: Int, _ indices: inout [String: Int]
  ) throws(TextError) {
    func problem(_ text: String) -> TextError {
      .unusable(path: path, reason: "line \(line) \(text)")
    }
    let needed = 1 + max(columns.good, columns.bad, columns.phenomenon ?? 0)
    guard cells.count >= needed, columns.areNamed || cells.count == 2 else {
      throw problem(
        "has \(cells.count.of("column"))"
          + (columns.areNamed
            ? " where \(needed) are needed"
            : "; give two, or name the columns good and bad in the first line"))
    }
    let (good, bad) = (cells[columns.good], cells[columns.bad])
    if good.isEmpty || bad.isEmpty { throw problem("lacks a sentence") }
    if good == bad { throw problem("has the same sentence twice: \(good)") }
    var phenomenon = 0
    if let column = columns.phenomenon {
      let name = cells[column]
      if name.isEmpty { throw problem("lacks a phenomenon") }
      if indices[name] == nil {
        indices[name] = phenomena.count
        phenomena.append(name)
      }
      phenomenon = indices[name] ?? 0
    }
    pairs.append(Pair(good: good, bad: bad, phenomenon: phenomenon, line: line))
  }
}
