/// The tokens of a vocabulary as a double-array trie over their UTF-8 bytes.
///
/// From cell c, byte b leads to cell n = `cells[c].base` + b if `cells[n].parent` is c, and nowhere
/// otherwise. So a step takes one addition and one comparison, and the cells of different parents
/// can be interleaved (Aoe, "An efficient digital search algorithm by using a double-array
/// structure", 1989).
///
/// Invariant: at least 256 cells follow every `base`, so that a step never leaves the array.
struct Trie: Sendable {
  private struct Cell {
    /// The index of the child cell for byte 0.
    var base: Int32 = 0
    /// The cell that leads to this one; -1 for a free cell.
    var parent: Int32 = -1
    /// The token that ends here, or -1.
    var id: Int32 = -1
  }

  private var cells: [Cell]
  /// The cell of the empty string.
  static let root: Int32 = 0

  /// Creates a trie of `tokens`, which all differ; the id of a token is its index.
  init(_ tokens: [[UInt8]]) {
    cells = Array(repeating: Cell(), count: 512)
    cells[0].parent = 0
    let order = tokens.indices.sorted { tokens[$0].lexicographicallyPrecedes(tokens[$1]) }
    var builder = Builder(keys: order.map { tokens[$0] }, ids: order.map(Int32.init))
    builder.insert(order.indices, depth: 0, at: Int(Self.root), in: &cells)
  }

  /// The cell that `byte` leads to from `cell`, or -1.
  ///
  /// The root is its own parent, so it is excluded as a target.
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
  /// Assigns cells to the sorted keys by a first-fit search.
  private struct Builder {
    let keys: [[UInt8]]
    let ids: [Int32]
    /// No cell in `256..<firstFree` is free.
    ///
    /// The first 256 cells are not assigned to children. A base is a child's cell minus a byte of
    /// at most 255, so it is never negative.
    private var firstFree = 256
    /// The cell at which the search for several children begins.
    ///
    /// It advances after a long search, so that densely filled regions are not scanned again.
    private var firstOpen = 256

    init(keys: [[UInt8]], ids: [Int32]) {
      self.keys = keys
      self.ids = ids
    }

    /// Inserts the keys in `range`, which all share their first `depth` bytes, below `cell`.
    mutating func insert(_ range: Range<Int>, depth: Int, at cell: Int, in cells: inout [Cell]) {
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
      // Occupy the cells of all children before the recursion looks for free cells.
      for child in children { cells[base + Int(child.byte)].parent = Int32(cell) }
      for child in children {
        insert(child.range, depth: depth + 1, at: base + Int(child.byte), in: &cells)
      }
    }

    /// The first base, from the start of the search on, at which the cells of all `bytes` are free.
    ///
    /// `first` is the smallest byte. A single child can use any free cell, so its search begins at
    /// `firstFree` and fills gaps. Several children rarely fit into gaps, so their search begins at
    /// `firstOpen`; gaps before it remain available to single children.
    private mutating func findBase(_ bytes: [Int], first: Int, in cells: inout [Cell]) -> Int {
      while cells[firstFree].parent >= 0 { firstFree += 1 }
      let start = (bytes.count == 1 ? firstFree : max(firstFree, firstOpen)) - first
      var base = start
      while true {
        // 256 cells from `base` on are the invariant of `Trie`. 256 more guarantee a free cell for
        // the next search, which has no bounds check.
        if cells.count < base + 512 {
          cells.append(contentsOf: repeatElement(Cell(), count: cells.count))
        }
        if bytes.allSatisfy({ cells[base + $0].parent < 0 }) {
          // More than 64 occupied bases: later searches begin here. This bounds their total cost.
          if base > start + 64 { firstOpen = base + first }
          return base
        }
        base += 1
      }
    }
  }
}
