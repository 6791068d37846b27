import Tensors

/// The hidden states of a micro-batch, both as values and as products read them.
///
/// In float32 the two are the same memory. In bfloat16 the operand holds the values rounded, and is
/// kept for the backward pass; the values are needed only until the next residual sum.
package struct HiddenStates {
  /// For residual sums and layers with one output. (N, D)
  package let values: Tensor
  /// For products. (N, D)
  package let operand: Operand

  /// Takes the memory from `arena`, in bfloat16 with the values in `values` if it is given.
  package init(
    _ rows: Int, _ columns: Int, in arithmetic: Arithmetic, values: Tensor? = nil, arena: Arena
  ) {
    if arithmetic.roundsFactors {
      self.values = values ?? arena.tensor(rows, columns)
      operand = arena.operand(rows, columns, in: arithmetic)
    } else {
      self.values = arena.tensor(rows, columns)
      operand = .float32(self.values)
    }
  }

  package var rows: Int { values.rows }
  package var columns: Int { values.columns }

  /// Makes the operand equal to the values, rounded in bfloat16.
  package func updateOperand() { operand.copy(from: values) }
}
