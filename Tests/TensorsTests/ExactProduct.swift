import CKernels
import Tensors

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
    /// In blocks: the sum goes through the chain of even k.
    case continuesChains
    /// In blocks: the chains are added to the sum one after the other.
    case addsChainsApart

    /// The deviations that an order of sums can have.
    static func possible(in order: SumOrder) -> [Deviation] {
      let ofBlocks: [Deviation] = [.continuesChains, .addsChainsApart]
      let ofChains: [Deviation] = [.evenFirst, .pairsFirst]
      return allCases.filter { !(order == .chain ? ofBlocks : ofChains).contains($0) }
    }
  }

  /// Computes `block`.
  static func compute(_ block: inout ckernels_block, _ deviation: Deviation? = nil) {
    for panel in 0..<Int(block.panels) {
      for row in 0..<Int(block.rows) {
        let a = block.a + 2 * row
        for column in 0..<16 {
          let b = block.b + panel * block.b_panel + 2 * column
          let index = panel * ckernels_tile_floats + 16 * row + column
          let products = (0..<Int(block.pairs)).map { pair in
            let (x, y) = (a + 48 * pair, b + 32 * pair)
            return (product(x[0], y[0], deviation), product(x[1], y[1], deviation))
          }
          let sum: Float = block.continues != 0 ? block.sums[index] : 0
          block.sums[index] =
            block.in_blocks != 0
            ? blocks(products, from: sum, deviation) : chain(products, from: sum, deviation)
        }
      }
    }
  }

  private static func chain(
    _ products: [(Double, Double)], from first: Float, _ deviation: Deviation?
  ) -> Float {
    products.reduce(first) { sum, pair in
      switch deviation {
      case .evenFirst: add(pair.1, add(pair.0, sum, deviation), deviation)
      case .pairsFirst: add(Double(add(pair.0, Float(pair.1), nil)), sum, deviation)
      default: add(pair.0, add(pair.1, sum, deviation), deviation)
      }
    }
  }

  private static func blocks(
    _ products: [(Double, Double)], from first: Float, _ deviation: Deviation?
  ) -> Float {
    var sum = first
    for start in stride(from: 0, to: products.count, by: 16) {
      var block = Array(products[start..<min(start + 16, products.count)])
      block += Array(repeating: (0, 0), count: 16 - block.count)
      let continues = deviation == .continuesChains
      let even = block.reduce(continues ? sum : 0) { add($1.0, $0, deviation) }
      let odd = block.reduce(0) { add($1.1, $0, deviation) }
      switch deviation {
      case .continuesChains: sum = add(Double(even), odd, deviation)
      case .addsChainsApart: sum = add(Double(odd), add(Double(even), sum, deviation), deviation)
      default:
        // The first factor of an addition is flushed like that of a product.
        let chains = add(flushedChain(even, deviation), odd, deviation)
        sum = add(flushedChain(chains, deviation), sum, deviation)
      }
    }
    return sum
  }

  private static func flushedChain(_ chain: Float, _ deviation: Deviation?) -> Double {
    deviation == .keepsSubnormalOperands ? Double(chain) : flushed(Double(chain))
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
