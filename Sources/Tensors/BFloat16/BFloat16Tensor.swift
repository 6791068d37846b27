/// A view of bfloat16 memory as a matrix: `rows` rows of `columns` elements, `stride` elements
/// apart.
///
/// A bfloat16 is the upper half of a float32: the same exponent and 8 significant bits. Like a
/// `Tensor`, the view does not own its memory. Elements have an alignment of two bytes.
package struct BFloat16Tensor: @unchecked Sendable {  // constant; as `Storage`
  // Unchecked: see `Storage`; the same rule holds for a view.

  /// The address of the first element; raw, because the memory belongs to a storage of floats.
  package let base: UnsafeMutableRawPointer
  package let rows: Int
  package let columns: Int
  package let stride: Int
  /// Whether the matrix is not a window of some columns of a larger one; for the profile.
  let isWhole: Bool

  package init(base: UnsafeMutableRawPointer, rows: Int, columns: Int, stride: Int? = nil) {
    let stride = stride ?? columns
    self.init(
      base: base, rows: rows, columns: columns, stride: stride, isWhole: stride == columns)
  }

  private init(
    base: UnsafeMutableRawPointer, rows: Int, columns: Int, stride: Int, isWhole: Bool
  ) {
    (self.base, self.rows, self.columns) = (base, rows, columns)
    (self.stride, self.isWhole) = (stride, isWhole)
  }

  /// A matrix of the shape of `tensor` in the first half of the memory of each row.
  init(inMemoryOf tensor: Tensor) {
    self.init(
      base: UnsafeMutableRawPointer(tensor.base), rows: tensor.rows, columns: tensor.columns,
      stride: 2 * tensor.stride, isWhole: tensor.stride == tensor.columns)
  }

  /// The address of row `index`, which is not checked.
  package func row(_ index: Int) -> UnsafeMutableRawPointer { base + 2 * index * stride }

  /// A view of the rows in `range`.
  package func rows(_ range: Range<Int>) -> BFloat16Tensor {
    precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
    return BFloat16Tensor(
      base: row(range.lowerBound), rows: range.count, columns: columns, stride: stride,
      isWhole: isWhole)
  }

  /// A view of the columns in `range`, with the same stride.
  package func columns(_ range: Range<Int>) -> BFloat16Tensor {
    precondition(range.upperBound <= columns, "columns \(range) of \(columns)")
    return BFloat16Tensor(
      base: base + 2 * range.lowerBound, rows: rows, columns: range.count, stride: stride,
      isWhole: isWhole && range.count == columns)
  }

  /// The element at (`row`, `column`) as a float, not checked; for tests and small matrices.
  package subscript(row: Int, column: Int) -> Float {
    let bits = self.row(row).load(fromByteOffset: 2 * column, as: UInt16.self)
    return Float(bitPattern: UInt32(bits) << 16)
  }
}

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
