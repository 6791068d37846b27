// Transposition of 32-bit words: floats, or pairs of bfloat16 numbers. Words are only moved.

/// Writes `count` words of each of up to eight lines as columns of a panel.
///
/// The panel has `panelWidth` columns: word k of line i goes to `panel[panelWidth * k + i]`.
/// Lines are `byteStride` bytes apart, with any alignment. Of the eight columns, those from `width`
/// on become zeros.
func transposeWords(
  _ source: UnsafeRawPointer, byteStride: Int, width: Int, count: Int,
  into panel: UnsafeMutablePointer<Float>, panelWidth: Int
) {
  let whole = width == 8 ? count / 8 * 8 : 0
  for k in stride(from: 0, to: whole, by: 8) {
    transpose8x8(
      source + 4 * k, byteStride: byteStride, into: panel + panelWidth * k, panelWidth: panelWidth)
  }
  for k in whole..<max(whole, count) {
    for lane in 0..<8 {
      panel[panelWidth * k + lane] =
        lane < width
        ? source.loadUnaligned(fromByteOffset: lane * byteStride + 4 * k, as: Float.self) : 0
    }
  }
}

/// Transposes eight lines of eight words into rows of the panel.
///
/// Three rounds of shuffles: neighbouring elements are interleaved, then pairs, then halves. Each
/// compiles to one instruction per vector (unpack, shuffle, permute).
@inline(__always)
private func transpose8x8(
  _ source: UnsafeRawPointer, byteStride: Int, into panel: UnsafeMutablePointer<Float>,
  panelWidth: Int
) {
  @inline(__always)
  func row(_ index: Int) -> Vector {
    (source + index * byteStride).loadUnaligned(as: Vector.self)
  }
  @inline(__always)
  func low(_ a: Vector, _ b: Vector) -> Vector {
    Vector(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5])
  }
  @inline(__always)
  func high(_ a: Vector, _ b: Vector) -> Vector {
    Vector(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
  }
  @inline(__always)
  func pairs(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
    (
      Vector(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]),
      Vector(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
    )
  }
  @inline(__always)
  func four(_ first: Int) -> (Vector, Vector, Vector, Vector) {
    let (a, b, c, d) = (row(first), row(first + 1), row(first + 2), row(first + 3))
    let (zero, one) = pairs(low(a, b), low(c, d))
    let (two, three) = pairs(high(a, b), high(c, d))
    return (zero, one, two, three)
  }
  let (upper, lower) = (four(0), four(4))
  @inline(__always)
  func store(_ a: Vector, _ b: Vector, _ k: Int) {
    panel.store(Vector(lowHalf: a.lowHalf, highHalf: b.lowHalf), at: panelWidth * k)
    panel.store(Vector(lowHalf: a.highHalf, highHalf: b.highHalf), at: panelWidth * (k + 4))
  }
  store(upper.0, lower.0, 0)
  store(upper.1, lower.1, 1)
  store(upper.2, lower.2, 2)
  store(upper.3, lower.3, 3)
}
