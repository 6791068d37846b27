/// The elements of an operand of one of the two forms, eight at a time.
///
/// A kernel is a generic function over it, which the compiler specializes for both: a choice inside
/// its innermost loop would make it much slower.
protocol OperandElements {
  var rows: Int { get }
  var columns: Int { get }

  /// The eight elements of a row from column `i` on, or a tail padded with zeros.
  func load(row: Int, at i: Int, tail: Int?) -> Vector

  /// Stores eight elements of a row from column `i` on, or a tail, rounded if the form is.
  func store(_ value: Vector, row: Int, at i: Int, tail: Int?)

  /// Writes eight elements of a row from column `i` on, or a tail, to the same place of `target`,
  /// and zeros for those that are not `kept`.
  func keep(row: Int, at i: Int, tail: Int?, where kept: VectorMask, in target: Self)
}

extension Tensor: OperandElements {
  @inline(__always)
  func load(row: Int, at i: Int, tail: Int?) -> Vector { self.row(row).load(at: i, tail: tail) }

  @inline(__always)
  func store(_ value: Vector, row: Int, at i: Int, tail: Int?) {
    self.row(row).store(value, at: i, tail: tail)
  }

  @inline(__always)
  func keep(row: Int, at i: Int, tail: Int?, where kept: VectorMask, in target: Tensor) {
    let value = load(row: row, at: i, tail: tail)
    target.store(
      Vector(repeating: 0).replacing(with: value, where: kept), row: row, at: i, tail: tail)
  }
}

extension BFloat16Tensor: OperandElements {
  @inline(__always)
  func load(row: Int, at i: Int, tail: Int?) -> Vector {
    self.row(row).loadBFloat16(at: i, tail: tail)
  }

  @inline(__always)
  func store(_ value: Vector, row: Int, at i: Int, tail: Int?) {
    self.row(row).storeBFloat16(value, at: i, tail: tail)
  }

  // Bits are copied: values need no second rounding.
  @inline(__always)
  func keep(row: Int, at i: Int, tail: Int?, where kept: VectorMask, in target: BFloat16Tensor) {
    let mask = SIMD8<UInt16>(
      truncatingIfNeeded: unsafeBitCast(kept, to: SIMD8<UInt32>.self))
    let bits = self.row(row).loadBits(at: i, tail: tail) & mask
    target.row(row).storeBits(bits, at: i, tail: tail)
  }
}
