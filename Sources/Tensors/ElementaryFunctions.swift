// Elementary functions on eight floats.
//
// Goals, in order: a relative error of a few units in the last place over the whole range that
// occurs in training; no branches; speed. The C library's scalar functions are twenty times slower.

/// The natural exponential, within 2 units in the last place.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, so e^x = 2^n e^r, with the Taylor polynomial of degree 7
/// for e^r (error below 2^-26). Adding 1.5 * 2^23 rounds x / ln 2 to n, which is then in the low
/// bits of the sum. ln 2 is the sum of two floats, so that r keeps its precision (Cody and Waite).
///
/// Edge cases: below -87.3 the result is the smallest normal number, above 88 it is e^88; NaN gives
/// NaN.
@inline(__always)
func exponential(_ x: Vector) -> Vector {
  let bounded = x.replacing(with: -87.33654, where: x .< -87.33654)
    .replacing(with: 88, where: x .> 88)
  let shifted = bounded.times(Vector(repeating: 1.442_695_04), plus: Vector(repeating: magic))
  let n = shifted - magic
  let r = n.times(Vector(repeating: -1.428_606_82e-6), plus: n.times(-0.693_145_75, plus: bounded))
  let polynomial = r.horner(
    1.984_127e-4, 1.388_888_9e-3, 8.333_333_6e-3, 4.166_666_8e-2, 0.166_666_67, 0.5, 1, 1)
  let exponent = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &+ 127
  let power = unsafeBitCast(exponent &<< 23, to: Vector.self)
  return polynomial * power
}

/// The natural logarithm of positive, normal numbers, within 2 units in the last place.
///
/// x = 2^n m with m in [sqrt(1/2), sqrt(2)). With s = (m - 1) / (m + 1), |s| < 0.172, the series of
/// the inverse hyperbolic tangent gives ln m = 2 (s + s^3/3 + s^5/5 + s^7/7 + s^9/9).
///
/// Zero, negative, subnormal, infinite and NaN arguments give meaningless finite results.
@inline(__always)
func naturalLogarithm(_ x: Vector) -> Vector {
  let bits = unsafeBitCast(x, to: SIMD8<UInt32>.self)
  // After subtracting the bits of sqrt(1/2), the exponent field is n and the rest is the offset of
  // m.
  let offset = bits &- 0x3F35_04F3
  let n = unsafeBitCast(offset, to: SIMD8<Int32>.self) &>> 23
  let m = unsafeBitCast((offset & 0x007F_FFFF) &+ 0x3F35_04F3, to: Vector.self)
  let s = (m - 1) / (m + 1)
  let square = s * s
  let series = square.horner(2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3)
  let logarithm = (s * square).times(series, plus: s + s)
  // n as a float: the reverse of the rounding in `exponential`.
  let shifted = unsafeBitCast(
    n &+ SIMD8<Int32>(repeating: Int32(bitPattern: magic.bitPattern)), to: Vector.self)
  let exponent = shifted - magic
  return exponent.times(
    Vector(repeating: 0.693_145_75),
    plus: exponent.times(Vector(repeating: 1.428_606_82e-6), plus: logarithm))
}

/// The cumulative distribution function P and the density of the standard normal distribution.
///
/// For a = |x|, the tail is Q(a) = 1 - P(a) = e^(-a^2/2) R(a), where R decreases slowly from 1/2. R
/// is a polynomial of degree 9 in t = 1 / (1 + 0.21 a), fitted for relative error (1.7e-8 on [0,
/// 14]). So the tail keeps its relative precision, which 1 - erf would lose. NaN gives NaN.
@inline(__always)
func normalDistribution(_ x: Vector) -> (cumulative: Vector, density: Vector) {
  let a = x.replacing(with: -x, where: x .< 0)
  let t = 1 / a.times(Vector(repeating: 0.21), plus: Vector(repeating: 1))
  let gaussian = exponential(x * x * -0.5)
  let ratio = t.horner(
    -0.071_656_97, 0.283_591_88, -0.330_260_47, 0.349_409_29, -0.093_931_025, 0.124_875_24,
    0.069_191_51, 0.085_068_95, 0.083_711_57, 0)
  let tail = gaussian * ratio
  return (tail.replacing(with: 1 - tail, where: x .> 0), gaussian * 0.398_942_28)
}

/// 1.5 * 2^23: added to a float of magnitude below 2^22, it leaves the nearest integer in the low
/// bits.
private let magic: Float = 12_582_912

extension SIMD8 where Scalar == Float {
  /// Evaluates a polynomial by Horner's rule; the coefficient of the highest power comes first.
  @inline(__always)
  fileprivate func horner(_ highest: Float, _ others: Float...) -> Self {
    var result = Self(repeating: highest)
    for coefficient in others { result = result.times(self, plus: Self(repeating: coefficient)) }
    return result
  }

  @inline(__always)
  fileprivate func times(_ factor: Float, plus addend: Self) -> Self {
    times(Self(repeating: factor), plus: addend)
  }
}
