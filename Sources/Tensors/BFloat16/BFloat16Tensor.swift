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
  private(set) var isWhole: Bool
  /// The order of sums in products of which the matrix is a factor.
  package let order: SumOrder

  package init(
    base: UnsafeMutableRawPointer, rows: Int, columns: Int, stride: Int? = nil, order: SumOrder
  ) {
    (self.base, self.rows, self.columns) = (base, rows, columns)
    (self.stride, self.order) = (stride ?? columns, order)
    isWhole = self.stride == columns
  }

  /// A matrix of the shape of `tensor` in the first half of the memory of each row.
  init(inMemoryOf tensor: Tensor, order: SumOrder) {
    self.init(
      base: UnsafeMutableRawPointer(tensor.base), rows: tensor.rows, columns: tensor.columns,
      stride: 2 * tensor.stride, order: order)
    isWhole = tensor.stride == tensor.columns
  }

  /// A part of this matrix from `base` on, with the same stride.
  private func part(
    _ base: UnsafeMutableRawPointer, rows: Int, columns: Int
  ) -> BFloat16Tensor {
    var part = BFloat16Tensor(
      base: base, rows: rows, columns: columns, stride: stride, order: order)
    part.isWhole = isWhole && columns == self.columns
    return part
  }

  /// The address of row `index`, which is not checked.
  package func row(_ index: Int) -> UnsafeMutableRawPointer { base + 2 * index * stride }

  /// A view of the rows in `range`.
  package func rows(_ range: Range<Int>) -> BFloat16Tensor {
    precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
    return part(row(range.lowerBound), rows: range.count, columns: columns)
  }

  /// A view of the columns in `range`, with the same stride.
  package func columns(_ range: Range<Int>) -> BFloat16Tensor {
    precondition(range.upperBound <= columns, "columns \(range) of \(columns)")
    return part(base + 2 * range.lowerBound, rows: rows, columns: range.count)
  }

  /// The element at (`row`, `column`) as a float, not checked; for tests and small matrices.
  package subscript(row: Int, column: Int) -> Float {
    let bits = self.row(row).load(fromByteOffset: 2 * column, as: UInt16.self)
    return Float(bitPattern: UInt32(bits) << 16)
  }
}
