/// A small generator of random numbers for orders and examples (SplitMix64: Steele, Lea and Flood
/// 2014), begun anew for every use from a seed and a number.
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

  /// Whether something of this probability happens.
  package mutating func chance(_ probability: Double) -> Bool {
    Double(next() >> 11) * 0x1p-53 < probability
  }

  /// A whole number in 0..<`bound`.
  package mutating func number(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
  }

  /// A one-to-one scrambling of 64 bits.
  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A random order of 0..<`count` as a function, without a table: a Feistel network over the next
/// power of four, walked until it lands inside (Black and Rogaway 2002).
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

  /// Where `index` goes.
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
