/// A view of float memory as a matrix: `rows` rows of `columns` floats, `stride` floats apart.
///
/// A tensor does not own its memory; the creator of the `Storage` keeps it alive. A transformer
/// without padding needs only two dimensions: tokens and features.
///
///     let hidden = Tensor(base: storage.base, rows: tokens, columns: hiddenSize)  // (N, D)
///     let queries = qkv.columns(0..<headSize)  // (N, D/H), strided
package struct Tensor: @unchecked Sendable {  // constant; as `Storage`
  // Unchecked: see `Storage`; the same rule holds for a view.

  package let base: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  package let stride: Int

  package init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The number of elements.
  package var count: Int { rows * columns }

  /// Whether the rows have no gaps between them.
  var isContiguous: Bool { stride == columns || rows <= 1 }

  /// The address of row `index`, which is not checked.
  package func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }

  /// A view of the rows in `range`.
  package func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// A view of the columns in `range`, with the same stride.
  package func columns(_ range: Range<Int>) -> Tensor {
    precondition(range.upperBound <= columns, "columns \(range) of \(columns)")
    return Tensor(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// The element at (`row`, `column`), which is not checked; for tests and small matrices.
  package subscript(row: Int, column: Int) -> Float {
    get { base[row * stride + column] }
    nonmutating set { base[row * stride + column] = newValue }
  }

  /// Sets every float to `value`.
  package func fill(_ value: Float) {
    if isContiguous { return base.update(repeating: value, count: count) }
    for r in 0..<rows { row(r).update(repeating: value, count: columns) }
  }

  /// Copies the elements of `source`, which has the same shape and does not overlap this tensor.
  package func copy(from source: Tensor) {
    precondition(source.rows == rows && source.columns == columns, "shapes differ")
    if isContiguous && source.isContiguous {
      return base.update(from: source.base, count: count)
    }
    for r in 0..<rows { row(r).update(from: source.row(r), count: columns) }
  }
}
