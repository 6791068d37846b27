/// The tokens of a vocabulary as a double-array trie over their UTF-8: from a cell, byte b leads to
/// cell `base + b` if that cell's `parent` is the one it was reached from.
///
/// Invariant: every `base` leaves 256 cells behind it, so that a step never leaves the array.
struct Trie: Sendable {
  private struct Cell {
    /// Where the cells of the following bytes begin.
    var base: Int32 = 0
    /// The cell that leads here; -1 for a free cell.
    var parent: Int32 = -1
    /// The token that ends here, or -1.
    var id: Int32 = -1
  }

  private var cells: [Cell]
  /// The cell of the empty string.
  static let root: Int32 = 0

  /// A trie of `tokens`, whose ids are their places; all of them differ.
  init(_ tokens: [[UInt8]]) {
    cells = Array(repeating: Cell(), count: 512)
    cells[0].parent = 0
    let order = tokens.indices.sorted { tokens[$0].lexicographicallyPrecedes(tokens[$1]) }
    var builder = Builder(keys: order.map { tokens[$0] }, ids: order.map(Int32.init))
    builder.place(order.indices, depth: 0, at: Int(Self.root), in: &cells)
  }

  /// The cell that `byte` leads to from `cell`, or -1.
  @inline(__always)
  func step(from cell: Int32, by byte: UInt8) -> Int32 {
    let next = cells[Int(cell)].base + Int32(byte)
    return cells[Int(next)].parent == cell && next != Self.root ? next : -1
  }

  /// The token that ends at `cell`, or -1.
  @inline(__always)
  func id(at cell: Int32) -> Int32 { cells[Int(cell)].id }

  /// The cell that `bytes` lead to from the root, or -1.
  func cell(of bytes: some Sequence<UInt8>) -> Int32 {
    var cell = Self.root
    for byte in bytes {
      cell = step(from: cell, by: byte)
      if cell < 0 { break }
    }
    return cell
  }
}

extension Trie {
  /// Lays sorted keys into cells, first fit.
  private struct Builder {
    let keys: [[UInt8]]
    let ids: [Int32]
    /// No cell before this one is free (the first 256 are left alone, so that a base is never
    /// negative).
    private var firstFree = 256
    /// Where the search for room for several children begins: it moves on when a search was long.
    private var firstOpen = 256

    init(keys: [[UInt8]], ids: [Int32]) {
      self.keys = keys
      self.ids = ids
    }

    /// Places the children of `cell`, which the keys in `range` pass through at `depth`.
    mutating func place(_ range: Range<Int>, depth: Int, at cell: Int, in cells: inout [Cell]) {
      var start = range.lowerBound
      if start < range.upperBound && keys[start].count == depth {
        cells[cell].id = ids[start]
        start += 1
      }
      var children: [(byte: UInt8, range: Range<Int>)] = []
      while start < range.upperBound {
        let byte = keys[start][depth]
        var end = start + 1
        while end < range.upperBound && keys[end][depth] == byte { end += 1 }
        children.append((byte, start..<end))
        start = end
      }
      guard let first = children.first else { return }
      let base = findBase(children.map { Int($0.byte) }, first: Int(first.byte), in: &cells)
      cells[cell].base = Int32(base)
      for child in children { cells[base + Int(child.byte)].parent = Int32(cell) }
      for child in children {
        place(child.range, depth: depth + 1, at: base + Int(child.byte), in: &cells)
      }
    }

    /// The first base at which the cells of all `bytes` are free.
    private mutating func findBase(_ bytes: [Int], first: Int, in cells: inout [Cell]) -> Int {
      while cells[firstFree].parent >= 0 { firstFree += 1 }
      let start = (bytes.count == 1 ? firstFree : max(firstFree, firstOpen)) - first
      var base = start
      while true {
        if cells.count < base + 512 {
          cells.append(contentsOf: repeatElement(Cell(), count: cells.count))
        }
        if bytes.allSatisfy({ cells[base + $0].parent < 0 }) {
          if base > start + 64 { firstOpen = base + first }
          return base
        }
        base += 1
      }
    }
  }
}
