/// A random permutation of 0..<`count`, computed without a table.
///
/// A Feistel network permutes 0..<4^n, the next power of four. If a result is not below `count`,
/// the network is applied to it again until it is (cycle walking, Black and Rogaway 2002), on
/// average up to four times.
package struct Permutation: Sendable {
  private let count: UInt64
  private let halfBits: UInt64
  private let keys: [UInt64]

  package init(count: Int, seed: UInt64, stream: UInt64) {
    self.count = UInt64(max(1, count))
    var bits: UInt64 = 1
    while bits < 31 && (1 << (2 * bits)) < self.count { bits += 1 }
    halfBits = bits
    var random = SplitMix(seed: seed, stream: stream)
    keys = (0..<4).map { _ in random.next() }
  }

  /// The element at position `index` of the permutation; `index` must be in 0..<`count`.
  package subscript(index: Int) -> Int {
    var value = UInt64(index)
    repeat { value = shuffled(value) } while value >= count
    return Int(value)
  }

  private func shuffled(_ value: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var (left, right) = (value >> halfBits, value & mask)
    for key in keys { (left, right) = (right, left ^ (SplitMix.mix(right ^ key) & mask)) }
    return left << halfBits | right
  }
}
