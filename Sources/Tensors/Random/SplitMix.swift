/// The SplitMix64 random number generator (Steele, Lea and Flood 2014), for data order and
/// examples.
///
/// Every use creates a new generator from the seed and a stream number.
package struct SplitMix: Sendable {
  private var state: UInt64

  package init(seed: UInt64, stream: UInt64) {
    state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix(stream &* 0xD134_2543_DE82_EF95 &+ 1)
  }

  /// 64 random bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// True with the given probability.
  package mutating func chance(_ probability: Double) -> Bool {
    Double(next() >> 11) * 0x1p-53 < probability
  }

  /// An integer in 0..<`bound`; 0 if `bound` is not positive.
  package mutating func number(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
  }

  /// A bijective hash of 64 bits, the finalizer of SplitMix64.
  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

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
