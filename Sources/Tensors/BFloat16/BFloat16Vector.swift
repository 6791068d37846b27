// Vectors of eight floats and of eight bfloat16 numbers: rounding, loads and stores.

extension SIMD8 where Scalar == Float {
  /// The bits of the nearest bfloat16 of each lane.
  ///
  /// Rounds to the nearest number, ties to an even last bit. A NaN becomes quiet, a subnormal
  /// number a zero of the same sign: the instruction VCVTNEPS2BF16. Beyond the largest bfloat16 the
  /// result is infinite.
  @inline(__always)
  var roundedBits: SIMD8<UInt16> { unsafeBitCast(roundedWords, to: SIMD16<UInt16>.self).oddHalf }

  /// The nearest bfloat16 number of each lane, as a float; see `roundedBits`.
  @inline(__always)
  var rounded: Self { unsafeBitCast(roundedWords & 0xFFFF_0000, to: Self.self) }

  /// Words whose upper halves are `roundedBits`; the lower halves have no meaning.
  @inline(__always)
  private var roundedWords: SIMD8<UInt32> {
    let bits = unsafeBitCast(self, to: SIMD8<UInt32>.self)
    // Half of the last bit less one, and one more if the last bit is odd: ties go to even.
    let rounded = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    let sign = bits & 0x8000_0000
    let magnitude = unsafeBitCast(bits ^ sign, to: SIMD8<Int32>.self)
    let infinity = SIMD8<Int32>(repeating: 0x7F80_0000)
    let smallestNormal = SIMD8<Int32>(repeating: 0x0080_0000)
    return
      rounded
      .replacing(with: bits | 0x0040_0000, where: magnitude .> infinity)  // NaN
      .replacing(with: sign, where: magnitude .< smallestNormal)  // subnormal
  }

  /// The floats that are equal to bfloat16 numbers with these bits.
  @inline(__always)
  init(bfloat16 bits: SIMD8<UInt16>) {
    var halves = SIMD16<UInt16>(repeating: 0)
    halves.oddHalf = bits
    self = unsafeBitCast(halves, to: Self.self)
  }
}

extension UnsafeMutableRawPointer {
  /// Loads the bits of eight bfloat16 numbers from element `index` on, or of a tail padded with
  /// zeros.
  @inline(__always)
  func loadBits(at index: Int, tail: Int?) -> SIMD8<UInt16> {
    guard let tail else { return (self + 2 * index).loadUnaligned(as: SIMD8<UInt16>.self) }
    var bits = SIMD8<UInt16>(repeating: 0)
    for lane in 0..<tail {
      bits[lane] = loadUnaligned(fromByteOffset: 2 * (index + lane), as: UInt16.self)
    }
    return bits
  }

  /// Stores the bits of eight bfloat16 numbers, or of a tail, from element `index` on.
  @inline(__always)
  func storeBits(_ bits: SIMD8<UInt16>, at index: Int, tail: Int?) {
    guard let tail else {
      return (self + 2 * index).storeBytes(of: bits, as: SIMD8<UInt16>.self)
    }
    for lane in 0..<tail {
      storeBytes(of: bits[lane], toByteOffset: 2 * (index + lane), as: UInt16.self)
    }
  }

  /// Loads eight bfloat16 numbers from element `index` on, or a tail padded with zeros.
  @inline(__always)
  func loadBFloat16(at index: Int, tail: Int?) -> Vector {
    Vector(bfloat16: loadBits(at: index, tail: tail))
  }

  /// Rounds eight floats, or a tail of them, and stores them from element `index` on.
  @inline(__always)
  func storeBFloat16(_ vector: Vector, at index: Int, tail: Int?) {
    storeBits(vector.roundedBits, at: index, tail: tail)
  }
}
