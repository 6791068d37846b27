/// A matrix as products read it: in float32, or rounded to bfloat16.
///
/// Layers make one operand of each activation or gradient that a product reads. Which of the two it
/// is depends on the arithmetic alone, so layers have the same code for both.
///
///     derivative.multiplyGELU(x.plain, weight, bias: bias, into: operand)  // may round
///     output.multiply(operand.plain, other.transposed)
package enum Operand: Sendable {
  case float32(Tensor)
  case bfloat16(BFloat16Tensor)

  package var rows: Int {
    switch self {
    case .float32(let tensor): tensor.rows
    case .bfloat16(let tensor): tensor.rows
    }
  }

  package var columns: Int {
    switch self {
    case .float32(let tensor): tensor.columns
    case .bfloat16(let tensor): tensor.columns
    }
  }

  /// A view of the rows in `range`.
  package func rows(_ range: Range<Int>) -> Operand {
    switch self {
    case .float32(let tensor): .float32(tensor.rows(range))
    case .bfloat16(let tensor): .bfloat16(tensor.rows(range))
    }
  }

  /// A view of the columns in `range`.
  package func columns(_ range: Range<Int>) -> Operand {
    switch self {
    case .float32(let tensor): .float32(tensor.columns(range))
    case .bfloat16(let tensor): .bfloat16(tensor.columns(range))
    }
  }

  /// The element at (`row`, `column`), not checked; for tests and small matrices.
  package subscript(row: Int, column: Int) -> Float {
    switch self {
    case .float32(let tensor): tensor[row, column]
    case .bfloat16(let tensor): tensor[row, column]
    }
  }

  /// Copies the elements of `source`, which has the same shape, and rounds them if this operand is
  /// rounded.
  package func copy(from source: Tensor) {
    precondition(source.rows == rows && source.columns == columns, "shapes differ")
    switch self {
    case .float32(let tensor): if tensor.base != source.base { tensor.copy(from: source) }
    case .bfloat16(let tensor):
      let start = Profile.begin()
      defer { Profile.end(.rows, start) }
      for r in 0..<rows { roundFloats(source.row(r), count: columns, into: tensor.row(r)) }
    }
  }
}

extension Tensor {
  /// The operand in this tensor's own memory: the tensor itself or, in bfloat16, the first half of
  /// each row.
  ///
  /// A kernel may read a row of the tensor and write the same row of the operand: element i of the
  /// operand lies before element i of the tensor, so kernels that go from the first element to the
  /// last never overwrite what they still read.
  package func operand(in arithmetic: Arithmetic) -> Operand {
    guard let order = arithmetic.sumOrder else { return .float32(self) }
    return .bfloat16(BFloat16Tensor(inMemoryOf: self, order: order))
  }

  /// Rounds this tensor in place if the arithmetic rounds factors; see `operand(in:)`.
  package func rounded(for arithmetic: Arithmetic) -> Operand {
    let result = operand(in: arithmetic)
    result.copy(from: self)
    return result
  }
}
