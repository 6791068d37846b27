/// Counts of words in a hash table with open addressing; the words' bytes are stored contiguously.
struct WordTable {
  private struct Entry {
    let start: Int
    let length: Int32
    let hash: UInt32
    var count: Int
  }

  private var entries: [Entry] = []
  private var text: [UInt8] = []
  /// For each slot, the index of its entry plus one, or 0; the length is a power of two.
  private var slots = [UInt32](repeating: 0, count: 1 << 10)

  /// The number of distinct words.
  var wordCount: Int { entries.count }
  /// The bytes of all distinct words.
  var byteCount: Int { text.count }

  /// Adds `count` occurrences of a word.
  @inline(__always)
  mutating func add(_ word: UnsafeBufferPointer<UInt8>, count: Int) {
    add(word, hash: Self.hash(word), count: count)
  }

  /// Adds all counts of another table.
  mutating func add(_ other: WordTable) {
    other.text.withUnsafeBufferPointer { text in
      for entry in other.entries {
        let word = text[entry.start..<entry.start + Int(entry.length)]
        add(UnsafeBufferPointer(rebasing: word), hash: entry.hash, count: entry.count)
      }
    }
  }

  /// Calls `body` with every word and its count, in the order of first occurrence.
  func visit(_ body: (UnsafeBufferPointer<UInt8>, Int) -> Void) {
    text.withUnsafeBufferPointer { text in
      for entry in entries {
        let word = text[entry.start..<entry.start + Int(entry.length)]
        body(UnsafeBufferPointer(rebasing: word), entry.count)
      }
    }
  }

  /// The table of the words that occur at least `minimum` times.
  func keeping(atLeast minimum: Int) -> WordTable {
    var kept = WordTable()
    visit { word, count in if count >= minimum { kept.add(word, count: count) } }
    return kept
  }

  /// The smallest count such that the words with at least that count have at most `bytes` bytes.
  func minimumCount(fitting bytes: Int) -> Int {
    var minimum = 1
    var size = byteCount
    while size > bytes {
      minimum += 1
      size = entries.reduce(0) { $0 + ($1.count >= minimum ? Int($1.length) : 0) }
    }
    return minimum
  }

  @inline(__always)
  private mutating func add(_ word: UnsafeBufferPointer<UInt8>, hash: UInt32, count: Int) {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if entries[index].hash == hash && matches(index, word) {
        entries[index].count += count
        return
      }
      slot = (slot + 1) & mask
    }
    slots[slot] = UInt32(entries.count + 1)
    entries.append(
      Entry(start: text.count, length: Int32(word.count), hash: hash, count: count))
    text.append(contentsOf: word)
    if entries.count * 2 > slots.count { grow() }
  }

  @inline(__always)
  private func matches(_ index: Int, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    let entry = entries[index]
    guard Int(entry.length) == word.count else { return false }
    for index in 0..<word.count where text[entry.start + index] != word[index] { return false }
    return true
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, entry) in entries.enumerated() {
      var slot = Int(entry.hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(index + 1)
    }
  }

  /// A multiplicative hash over groups of eight bytes.
  ///
  /// Unlike Swift's `Hasher`, it has no random seed and is cheap for short words.
  @inline(__always)
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var hash = UInt64(word.count)
    var index = 0
    while index < word.count {
      var value: UInt64 = 0
      for byte in word[index..<min(index + 8, word.count)] { value = value << 8 | UInt64(byte) }
      hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 32
      index += 8
    }
    return UInt32(truncatingIfNeeded: hash)
  }
}
