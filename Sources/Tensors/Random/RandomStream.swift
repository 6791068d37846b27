/// A counter-based random number generator: Philox 4x32-10.
///
/// A stream is identified by (seed, site, step, sequence) and can be read at any index. It has no
/// state, so a dropout mask can be computed again in the backward pass, on another rank, or after a
/// restart.
///
/// The key is the seed; the counter is (index, site, step, sequence), 32 bits each. See Salmon,
/// Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
///
///     let stream = RandomStream(seed: 1, site: RandomStream.site("mask"), step: 7, sequence: 3)
///     stream.block(0)                    // four random words
package struct RandomStream: Sendable, Equatable {
  private let key: SIMD2<UInt32>
  private let site: UInt32
  private let step: UInt32
  private let sequence: UInt32

  /// Creates the stream of one use of random numbers for one sequence of one step.
  ///
  /// `site` identifies the use (see `site(_:)`), `step` is the step of the run, and `sequence` is
  /// the index of the sequence in the global batch of the step.
  package init(seed: UInt64, site: UInt32, step: Int, sequence: Int) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.site = site
    self.step = UInt32(truncatingIfNeeded: step)
    self.sequence = UInt32(truncatingIfNeeded: sequence)
  }

  /// The identifier of a named use of random numbers: the 32-bit FNV-1a hash of the name.
  package static func site(_ name: String) -> UInt32 {
    name.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }

  /// The four random words at counter `index`.
  package func block(_ index: UInt32) -> SIMD4<UInt32> {
    let words = blocks(from: index)
    return SIMD4(words.0[0], words.1[0], words.2[0], words.3[0])
  }

  /// The random words at eight counters from `first` on.
  ///
  /// Word j of counter first + i is lane i of the j-th result.
  @inline(__always)
  func blocks(from first: UInt32) -> (Words, Words, Words, Words) {
    var x0 = Words(repeating: first) &+ Words(0, 1, 2, 3, 4, 5, 6, 7)
    var x1 = Words(repeating: site)
    var x2 = Words(repeating: step)
    var x3 = Words(repeating: sequence)
    var key0 = key[0]
    var key1 = key[1]
    for _ in 0..<10 {
      let (high0, low0) = Self.multiply(x0, 0xD251_1F53)
      let (high1, low1) = Self.multiply(x2, 0xCD9E_8D57)
      x0 = high1 ^ x1 ^ key0
      x1 = low1
      x2 = high0 ^ x3 ^ key1
      x3 = low0
      key0 = key0 &+ 0x9E37_79B9
      key1 = key1 &+ 0xBB67_AE85
    }
    return (x0, x1, x2, x3)
  }

  /// Eight 32-bit numbers.
  typealias Words = SIMD8<UInt32>

  /// The high and low words of eight products.
  ///
  /// Even and odd lanes are multiplied separately as 64-bit numbers, for which AVX2 has an
  /// instruction.
  @inline(__always)
  private static func multiply(_ a: Words, _ b: UInt64) -> (high: Words, low: Words) {
    let wide = unsafeBitCast(a, to: SIMD4<UInt64>.self)
    let lowWord: UInt64 = 0xFFFF_FFFF
    let even = (wide & lowWord) &* b
    let odd = (wide &>> 32) &* b
    let high = (even &>> 32) | (odd & ~lowWord)
    let low = (even & lowWord) | (odd &<< 32)
    return (unsafeBitCast(high, to: Words.self), unsafeBitCast(low, to: Words.self))
  }
}

extension RandomStream {
  /// The 32 uniform numbers from number 32 * `index` on; multiples of 2^-24 in [0, 1).
  ///
  /// They are the words of eight counters: word 0 of all counters first, then word 1, and so on.
  @inline(__always)
  func uniforms(_ index: Int) -> (Vector, Vector, Vector, Vector) {
    let words = blocks(from: UInt32(truncatingIfNeeded: index &* 8))
    return (Self.unit(words.0), Self.unit(words.1), Self.unit(words.2), Self.unit(words.3))
  }

  /// The upper 24 bits as a number in [0, 1).
  @inline(__always)
  private static func unit(_ words: Words) -> Vector {
    // A conversion keeps all 24 bits; inserting bits into the mantissa of [1, 2) would keep only
    // 23.
    Vector(unsafeBitCast(words &>> 8, to: SIMD8<Int32>.self)) * 0x1p-24
  }

  /// A uniform number in [0, 1) from words 0 and 1 of counter `index`; a multiple of 2^-53.
  package func uniform(_ index: Int) -> Double {
    let words = block(UInt32(truncatingIfNeeded: index))
    return Double((UInt64(words[0]) << 32 | UInt64(words[1])) >> 11) * 0x1p-53
  }

  /// An integer in 0..<`bound` from word `index` of the stream; its bias is below `bound` / 2^32.
  package func number(below bound: Int, index: Int) -> Int {
    let word = block(UInt32(truncatingIfNeeded: index >> 2))[index & 3]
    return Int((UInt64(word) &* UInt64(bound)) >> 32)
  }
}
