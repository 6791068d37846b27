/// Pairs of neighbouring symbols with their counts and the places where they were seen, found by a
/// hash table. Places that no longer hold the pair stay in its list; whoever reads it checks.
struct PairTable {
  /// A pair's two symbols, count and list of places.
  private struct Record {
    let key: UInt64
    var count: Int
    /// The first and last node of the list of places, or -1.
    var first: Int32
    var last: Int32
  }

  private struct Node {
    let place: Int32
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

  /// How often the pair is seen.
  func count(of pair: Int32) -> Int { records[Int(pair)].count }

  /// The number of pairs ever seen; they are numbered from 0.
  var pairCount: Int { records.count }

  /// Adds `count` sightings of a pair at `place`; returns the pair.
  mutating func add(_ left: Int32, _ right: Int32, count: Int, at place: Int32) -> Int32 {
    let pair = Int(find(left, right))
    records[pair].count += count
    let node = Int32(nodes.count)
    nodes.append(Node(place: place, next: -1))
    if records[pair].last < 0 {
      records[pair].first = node
    } else {
      nodes[Int(records[pair].last)].next = node
    }
    records[pair].last = node
    return Int32(pair)
  }

  /// Takes away `count` sightings of a pair.
  mutating func remove(_ left: Int32, _ right: Int32, count: Int) {
    records[Int(find(left, right))].count -= count
  }

  /// Forgets the pair's sightings; returns the places where it may be, in ascending order.
  mutating func take(_ pair: Int32) -> [Int32] {
    var places: [Int32] = []
    var isSorted = true
    var node = records[Int(pair)].first
    while node >= 0 {
      let place = nodes[Int(node)].place
      if let last = places.last, last > place { isSorted = false }
      places.append(place)
      node = nodes[Int(node)].next
    }
    records[Int(pair)].count = 0
    records[Int(pair)].first = -1
    records[Int(pair)].last = -1
    if !isSorted { places.sort() }
    return places
  }

  /// The pair's record, new if it was never seen.
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
