import CKernels

/// The definition of products in `CKernels.h` by exact arithmetic, independent of the C code.
enum ExactProduct {
  /// A deviation from the definition that tests must detect.
  enum Deviation: CaseIterable {
    /// The first element of a pair is added before the second.
    case evenFirst
    /// The products of a pair are added to each other before they are added to the sum.
    case pairsFirst
    case keepsSubnormalOperands
    case keepsSubnormalResults
    /// A product is flushed before it is added: the multiplication and the addition are not fused.
    case flushesProducts
    /// A result just below the smallest normal number is flushed although it rounds to that number.
    case flushesBeforeRounding
    /// A result is rounded as a subnormal number and therefore may become a normal one.
    case flushesAfterSubnormalRounding
    case roundsTowardZero
  }

  /// Computes `block`.
  static func compute(_ block: inout ckernels_block, _ deviation: Deviation? = nil) {
    for panel in 0..<Int(block.panels) {
      for row in 0..<Int(block.rows) {
        let a = block.a + 2 * row
        for column in 0..<16 {
          let b = block.b + panel * block.b_panel + 2 * column
          let index = panel * ckernels_tile_floats + 16 * row + column
          var sum: Float = block.continues != 0 ? block.sums[index] : 0
          for pair in 0..<Int(block.pairs) {
            let (x, y) = (a + 48 * pair, b + 32 * pair)
            let first = product(x[0], y[0], deviation)
            let second = product(x[1], y[1], deviation)
            switch deviation {
            case .evenFirst: sum = add(second, add(first, sum, deviation), deviation)
            case .pairsFirst: sum = add(Double(add(first, Float(second), nil)), sum, deviation)
            default: sum = add(first, add(second, sum, deviation), deviation)
            }
          }
          block.sums[index] = sum
        }
      }
    }
  }

  /// The product of two bfloat16 numbers, which is exact.
  private static func product(_ x: UInt16, _ y: UInt16, _ deviation: Deviation?) -> Double {
    let factors = [x, y].map { bits in
      let factor = Double(Float(bitPattern: UInt32(bits) << 16))
      return deviation == .keepsSubnormalOperands ? factor : flushed(factor)
    }
    let product = factors[0] * factors[1]
    return deviation == .flushesProducts ? flushed(product) : product
  }

  /// `product + sum`, rounded once.
  ///
  /// The sum of two doubles is a double and an error that is a double too (Knuth's TwoSum). Setting
  /// the last bit of an inexact double (rounding to odd) keeps what a second rounding to 24 bits
  /// depends on (Boldo and Melquiond 2008).
  private static func add(_ product: Double, _ sum: Float, _ deviation: Deviation?) -> Float {
    let sum = deviation == .keepsSubnormalOperands ? Double(sum) : flushed(Double(sum))
    var exact = product + sum
    guard exact.isFinite, exact != 0 else { return Float(exact) }
    let part = exact - product
    let error = (product - (exact - part)) + (sum - part)
    if error != 0, exact.significandBitPattern & 1 == 0 {
      exact = error > 0 ? exact.nextUp : exact.nextDown
    }
    switch deviation {
    case .keepsSubnormalResults: return Float(exact)
    case .flushesAfterSubnormalRounding: return Float(flushed(Double(Float(exact))))
    case .flushesBeforeRounding: return Float(flushed(rounded(flushed(exact), .toNearestOrEven)))
    case .roundsTowardZero: return Float(flushed(rounded(exact, .towardZero)))
    default: return Float(flushed(rounded(exact, .toNearestOrEven)))
    }
  }

  /// `x` rounded to 24 bits, as if there were no smallest exponent.
  private static func rounded(_ x: Double, _ rule: FloatingPointRoundingRule) -> Double {
    guard x != 0 else { return x }
    let lastBit = x.binade.magnitude * 0x1p-23
    return (x / lastBit).rounded(rule) * lastBit
  }

  /// `x`, or zero with the same sign if a float of this size would be subnormal.
  private static func flushed(_ x: Double) -> Double {
    x.magnitude < Double(Float.leastNormalMagnitude)
      ? Double(signOf: x, magnitudeOf: 0) : x
  }
}
