import COpenBLAS

extension Operand {
  /// Writes `scale * a * b` to this matrix, rounded if it is a rounded operand.
  ///
  /// Otherwise as `Tensor.multiply`.
  package func multiply(_ a: Factor, _ b: Factor, scale: Float = 1) {
    multiply(a, .matrix(b), scale: scale)
  }

  /// Writes `scale * a * b + bias` to this matrix, rounded if it is a rounded operand.
  ///
  /// `bias` is a row that is added to every row; nil for none. Otherwise as `Tensor.multiply`.
  package func multiply(
    _ a: Factor, _ b: RightFactor, scale: Float = 1, bias: Tensor? = nil
  ) {
    switch self {
    case .float32(let tensor):
      tensor.multiply(a, b, scale: scale)
      if let bias { tensor.addToRows(bias) }
    case .bfloat16(let tensor):
      let product = RoundedProduct(a, b)
      precondition(product.rows == rows && product.columns == columns, "shapes differ")
      product.compute { r, i, tail, sum in
        let scaled = sum * scale
        let result = bias.map { scaled + $0.base.load(at: i, tail: tail) } ?? scaled
        tensor.row(r).storeBFloat16(result, at: i, tail: tail)
      }
    }
  }
}

extension Tensor {
  /// Writes `scale * a * b` to this matrix or, with `adding`, adds it.
  ///
  /// The shapes are (M, N) = (M, K) (K, N). With K = 0 the product is zero. The output must overlap
  /// neither factor. Both factors are float32, or both are rounded to bfloat16; the result is
  /// float32.
  ///
  /// OpenBLAS computes float32 products, except for the shapes at which `TiledProduct` is faster.
  /// Everything runs on the calling thread, since the worker threads are the program's only
  /// parallelism. The same shapes and values give the same bits at any address.
  package func multiply(_ a: Factor, _ b: Factor, scale: Float = 1, adding: Bool = false) {
    multiply(a, .matrix(b), scale: scale, adding: adding)
  }

  /// Writes `scale * a * b` to this matrix or, with `adding`, adds it; `b` may be packed.
  package func multiply(_ a: Factor, _ b: RightFactor, scale: Float = 1, adding: Bool = false) {
    precondition(
      a.rows == rows && b.columns == columns && a.columns == b.rows,
      "(\(a.rows), \(a.columns)) times (\(b.rows), \(b.columns)) is not (\(rows), \(columns))")
    guard rows > 0, columns > 0 else { return }
    guard a.columns > 0 else {
      if !adding { fill(0) }
      return
    }
    switch a.operand {
    case .float32: multiplyFloats(a, b, scale: scale, adding: adding)
    case .bfloat16:
      RoundedProduct(a, b).compute { r, i, tail, sum in
        let row = row(r)
        let result =
          adding
          ? sum.times(Vector(repeating: scale), plus: row.load(at: i, tail: tail)) : sum * scale
        row.store(result, at: i, tail: tail)
      }
    }
  }

  /// The product of two float32 factors that are not empty; `activity` replaces that of the shape
  /// in the profile.
  func multiplyFloats(
    _ a: Factor, _ b: RightFactor, scale: Float, adding: Bool, activity: Activity? = nil
  ) {
    let (start, left) = (Profile.begin(), a.float32)
    defer {
      Profile.end(
        activity ?? product(left, b), start, operations: 2.0 * Double(rows * columns * a.columns))
    }
    // Weights are packed only for tiled products, so OpenBLAS never needs a packed factor.
    guard let right = b.float32,
      !TiledProduct.isFaster(inner: a.columns, columns: columns, isTransposed: a.isTransposed)
    else { return multiplyInTiles(a, b, scale: scale, adding: adding) }
    copenblas_sgemm(
      left.isTransposed ? 1 : 0, right.isTransposed ? 1 : 0, Int32(rows), Int32(columns),
      Int32(left.columns), scale, left.tensor.base, Int32(left.tensor.stride), right.tensor.base,
      Int32(right.tensor.stride), adding ? 1 : 0, base, Int32(stride))
  }

  /// The activity in the profile: only attention multiplies windows of larger matrices.
  private func product(_ a: Float32Factor, _ b: RightFactor) -> Activity {
    let isWhole = stride == columns && a.tensor.stride == a.tensor.columns && b.isWhole
    return isWhole
      ? .product(rows: rows, columns: columns, inner: a.columns) : .attentionProducts
  }
}
