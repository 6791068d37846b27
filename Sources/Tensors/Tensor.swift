/// A window onto float memory: `rows` rows of `columns` floats, `stride` floats from row to row.
///
/// A tensor owns nothing: whoever made the `Storage` under it keeps that alive. Two dimensions are
/// all that a transformer without padding needs: tokens by features.
///
///     let hidden = Tensor(base: storage.base, rows: tokens, columns: hiddenSize)  // (N, D)
///     let queries = qkv.columns(0..<headSize)                                     // (N, D/H), strided
package struct Tensor: @unchecked Sendable {
  // Unchecked: see `Storage`; a window is as safe to share as the floats below it.

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

  /// The number of floats that it shows.
  package var count: Int { rows * columns }

  /// Whether its rows lie end to end.
  package var isContiguous: Bool { stride == columns || rows <= 1 }

  /// The start of row `index`.
  package func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }

  /// The rows of `range`.
  package func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// The columns of `range`, strided.
  package func columns(_ range: Range<Int>) -> Tensor {
    precondition(range.upperBound <= columns, "columns \(range) of \(columns)")
    return Tensor(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  package subscript(row: Int, column: Int) -> Float {
    get { base[row * stride + column] }
    nonmutating set { base[row * stride + column] = newValue }
  }

  /// Sets every float to `value`.
  package func fill(_ value: Float) {
    if isContiguous { return base.update(repeating: value, count: count) }
    for r in 0..<rows { row(r).update(repeating: value, count: columns) }
  }

  /// Copies the floats of `source`, which has the same shape.
  package func copy(from source: Tensor) {
    precondition(source.rows == rows && source.columns == columns, "shapes differ")
    if isContiguous && source.isContiguous {
      return base.update(from: source.base, count: count)
    }
    for r in 0..<rows { row(r).update(from: source.row(r), count: columns) }
  }
}
