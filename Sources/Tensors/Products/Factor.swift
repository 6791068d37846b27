/// A factor of a matrix product: a matrix, optionally transposed.
package struct Factor {
  let operand: Operand
  let isTransposed: Bool

  var rows: Int { isTransposed ? operand.columns : operand.rows }
  var columns: Int { isTransposed ? operand.rows : operand.columns }

  /// The factor of a float32 product; traps if this one is rounded.
  var float32: Float32Factor {
    guard case .float32(let tensor) = operand else {
      preconditionFailure("a rounded factor of a float32 product")
    }
    return Float32Factor(tensor: tensor, isTransposed: isTransposed)
  }

  /// The factor of a rounded product; traps if this one is float32.
  var bfloat16: BFloat16Factor {
    guard case .bfloat16(let tensor) = operand else {
      preconditionFailure("a float32 factor of a rounded product")
    }
    return BFloat16Factor(tensor: tensor, isTransposed: isTransposed)
  }
}

extension Operand {
  /// The transpose of this matrix as a factor of a product; nothing is copied.
  package var transposed: Factor { Factor(operand: self, isTransposed: true) }
  /// This matrix as a factor of a product.
  package var plain: Factor { Factor(operand: self, isTransposed: false) }
}

extension Tensor {
  /// The transpose of this matrix as a float32 factor of a product; nothing is copied.
  package var transposed: Factor { Operand.float32(self).transposed }
  /// This matrix as a float32 factor of a product.
  package var plain: Factor { Operand.float32(self).plain }
}

/// A float32 factor of a product: a matrix, optionally transposed.
struct Float32Factor {
  let tensor: Tensor
  let isTransposed: Bool

  var rows: Int { isTransposed ? tensor.columns : tensor.rows }
  var columns: Int { isTransposed ? tensor.rows : tensor.columns }

  /// The address of element (row, column) of the factor.
  func pointer(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    isTransposed ? tensor.row(column) + row : tensor.row(row) + column
  }
}

/// A rounded factor of a product: a matrix, optionally transposed.
struct BFloat16Factor {
  let tensor: BFloat16Tensor
  let isTransposed: Bool

  var rows: Int { isTransposed ? tensor.columns : tensor.rows }
  var columns: Int { isTransposed ? tensor.rows : tensor.columns }
}

/// The right factor of a product: a matrix, or a weight that is packed for many products.
package enum RightFactor {
  case matrix(Factor)
  case packed(PackedMatrix)

  var rows: Int {
    switch self {
    case .matrix(let factor): factor.rows
    case .packed(let matrix): matrix.rows
    }
  }

  var columns: Int {
    switch self {
    case .matrix(let factor): factor.columns
    case .packed(let matrix): matrix.columns
    }
  }

  /// Whether the factor is a whole matrix, not a window of a larger one; for the profile.
  var isWhole: Bool {
    guard case .matrix(let factor) = self else { return true }
    switch factor.operand {
    case .float32(let tensor): return tensor.stride == tensor.columns
    case .bfloat16(let tensor): return tensor.isWhole
    }
  }

  /// The order of sums of a rounded factor; nil for a float32 one.
  var order: SumOrder? {
    switch self {
    case .matrix(let factor):
      if case .bfloat16(let tensor) = factor.operand { tensor.order } else { nil }
    case .packed(let matrix): matrix.order
    }
  }

  /// The factor of a float32 product as a matrix; nil if it is packed.
  var float32: Float32Factor? {
    switch self {
    case .matrix(let factor): factor.float32
    case .packed(let matrix): matrix.isPacked ? nil : matrix.float32
    }
  }
}
