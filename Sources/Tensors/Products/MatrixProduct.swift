import COpenBLAS

/// A factor of a matrix product: a matrix, optionally transposed.
package struct Factor {
  let tensor: Tensor
  let isTransposed: Bool

  var rows: Int { isTransposed ? tensor.columns : tensor.rows }
  var columns: Int { isTransposed ? tensor.rows : tensor.columns }
}

extension Tensor {
  /// The transpose of this matrix as a factor of a product; nothing is copied.
  package var transposed: Factor { Factor(tensor: self, isTransposed: true) }
  /// This matrix as a factor of a product.
  package var plain: Factor { Factor(tensor: self, isTransposed: false) }

  /// Writes `scale * a * b` to this matrix or, with `adding`, adds it.
  ///
  /// The shapes are (M, N) = (M, K) (K, N). With K = 0 the product is zero. The output must overlap
  /// neither factor. OpenBLAS computes the product, except for the shapes at which `TiledProduct`
  /// is faster. It runs on the calling thread only, since the worker threads are the program's only
  /// parallelism. The same shapes and values give the same bits at any address.
  package func multiply(_ a: Factor, _ b: Factor, scale: Float = 1, adding: Bool = false) {
    precondition(
      a.rows == rows && b.columns == columns && a.columns == b.rows,
      "(\(a.rows), \(a.columns)) times (\(b.rows), \(b.columns)) is not (\(rows), \(columns))")
    guard rows > 0, columns > 0 else { return }
    guard a.columns > 0 else {
      if !adding { fill(0) }
      return
    }
    let start = Profile.begin()
    defer {
      Profile.end(
        activity(a, b), start, operations: 2 * Double(rows) * Double(columns) * Double(a.columns))
    }
    if TiledProduct.isFaster(a, columns: columns) {
      return multiplyInTiles(a, b, scale: scale, adding: adding)
    }
    cblas_shim_sgemm(
      a.isTransposed ? 1 : 0, b.isTransposed ? 1 : 0, Int32(rows), Int32(columns),
      Int32(a.columns), scale, a.tensor.base, Int32(a.tensor.stride), b.tensor.base,
      Int32(b.tensor.stride), adding ? 1 : 0, base, Int32(stride))
  }

  /// The activity in the profile: only attention multiplies windows of larger matrices.
  private func activity(_ a: Factor, _ b: Factor) -> Activity {
    let isWhole = [self, a.tensor, b.tensor].allSatisfy { $0.stride == $0.columns }
    return isWhole
      ? .product(rows: rows, columns: columns, inner: a.columns) : .attentionProducts
  }
}
