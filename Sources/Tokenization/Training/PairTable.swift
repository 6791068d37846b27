/// The pairs of adjacent symbols, with their counts and positions, in a hash table.
///
/// `add` and `remove` keep the counts current. The list of a pair's positions only grows: positions
/// that no longer hold the pair stay in it, and the reader of the list must check each one.
struct PairTable {
  /// A pair's symbols, count and list of positions.
  private struct Record {
    let key: UInt64
    var count: Int
    /// The first and last node of the list of positions, or -1.
    var first: Int32
    var last: Int32
  }

  private struct Node {
    let position: Int32
    var next: Int32
  }

  private var records: [Record] = []
  private var nodes: [Node] = []
  /// For each slot, the index of its record plus one, or 0; the length is a power of two.
  private var slots = [UInt32](repeating: 0, count: 1 << 12)

  /// The symbols of a pair.
  func symbols(of pair: Int32) -> (left: Int32, right: Int32) {
    let key = records[Int(pair)].key
    return (Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key))
  }

  /// The number of occurrences of the pair.
  func count(of pair: Int32) -> Int { records[Int(pair)].count }

  /// The number of pairs that were ever added; they are numbered from 0.
  var pairCount: Int { records.count }

  /// Adds `count` occurrences of a pair at `position`; returns the pair.
  mutating func add(_ left: Int32, _ right: Int32, count: Int, at position: Int32) -> Int32 {
    let pair = Int(find(left, right))
    records[pair].count += count
    let node = Int32(nodes.count)
    nodes.append(Node(position: position, next: -1))
    if records[pair].last < 0 {
      records[pair].first = node
    } else {
      nodes[Int(records[pair].last)].next = node
    }
    records[pair].last = node
    return Int32(pair)
  }

  /// Removes `count` occurrences of a pair; its list of positions stays unchanged.
  mutating func remove(_ left: Int32, _ right: Int32, count: Int) {
    records[Int(find(left, right))].count -= count
  }

  /// Resets a pair's count and list; returns the positions in the list, in ascending order.
  ///
  /// The list is usually sorted already, because words are added in order.
  mutating func take(_ pair: Int32) -> [Int32] {
    var positions: [Int32] = []
    var isSorted = true
    var node = records[Int(pair)].first
    while node >= 0 {
      let position = nodes[Int(node)].position
      if let last = positions.last, last > position { isSorted = false }
      positions.append(position)
      node = nodes[Int(node)].next
    }
    records[Int(pair)].count = 0
    records[Int(pair)].first = -1
    records[Int(pair)].last = -1
    if !isSorted { positions.sort() }
    return positions
  }

  /// The index of the pair's record, which is created if needed.
  private mutating func find(_ left: Int32, _ right: Int32) -> UInt32 {
    let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    var slot = firstSlot(key)
    while slots[slot] != 0 {
      if records[Int(slots[slot]) - 1].key == key { return slots[slot] - 1 }
      slot = (slot + 1) & (slots.count - 1)
    }
    records.append(Record(key: key, count: 0, first: -1, last: -1))
    slots[slot] = UInt32(records.count)
    if records.count * 2 > slots.count { grow() }
    return UInt32(records.count - 1)
  }

  private func firstSlot(_ key: UInt64) -> Int {
    let hash = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for (index, record) in records.enumerated() {
      var slot = firstSlot(record.key)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index + 1)
    }
  }
}
