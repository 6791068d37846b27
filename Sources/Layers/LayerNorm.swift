import Tensors

/// Layer normalisation with what precedes it: `normalize(residual + dropout(branch + bias))`.
package struct LayerNorm: Sendable {
  package let scale: Parameter  // (D)
  package let shift: Parameter  // (D)
  package let epsilon: Float

  /// Declares `name.weight`, which begins as `gain`, and `name.bias`.
  package init(
    _ name: String, size: Int, epsilon: Float, gain: Float = 1, in layout: inout ParameterLayout
  ) {
    scale = layout.declare(name + ".weight", [size], .constant(gain))
    shift = layout.declare(name + ".bias", [size], .zeros)
    self.epsilon = epsilon
  }

  /// What backward needs.
  package struct Activations {
    /// The branch on the way in; the normalised rows afterwards. (N, D)
    package let normalized: Tensor
    /// 1 / sqrt(variance + epsilon) of each row. (1, N)
    package let inverseDeviations: Tensor
    package let output: Tensor  // (N, D)

    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      normalized = arena.tensor(shape.tokens, size)
      inverseDeviations = arena.tensor(1, shape.tokens)
      output = arena.tensor(shape.tokens, size)
    }

    /// The memory of `other`, but for an output of its own.
    init(sharing other: Activations, arena: Arena) {
      normalized = other.normalized
      inverseDeviations = other.inverseDeviations
      output = arena.tensor(other.output.rows, other.output.columns)
    }
  }

  /// Normalises the branch that stands in `activations.normalized`.
  ///
  /// - Parameters:
  ///   - activations: filled for the backward pass.
  ///   - bias: the bias of the linear layer that made the branch; nil for none.
  ///   - residual: added to the branch (N, D); nil for none.
  ///   - site: where elements of the branch are dropped; nil for nowhere.
  ///   - pass: weights and random numbers.
  package func forward(
    _ activations: Activations, bias: Parameter?, residual: Tensor?, dropout site: DropoutSite?,
    _ pass: PassContext
  ) {
    let parameters = NormalizationParameters(
      scale: pass.weights[scale], shift: pass.weights[shift], epsilon: epsilon)
    for (index, range) in pass.ranges.enumerated() {
      let sum = BranchSum(
        bias: bias.map { pass.weights[$0] },
        dropout: site.flatMap { pass.dropout($0, sequence: index) },
        residual: residual?.rows(range))
      activations.normalized.rows(range).normalizeRows(
        sum, parameters,
        inverseDeviations: activations.inverseDeviations.base + range.lowerBound,
        into: activations.output.rows(range))
    }
  }

  /// Replaces the output's gradient by that of the residual, and writes the branch's.
  package func backward(
    _ activations: Activations, gradient: Tensor, bias: Parameter?, dropout site: DropoutSite?,
    into branchGradient: Tensor?, _ pass: PassContext
  ) {
    let gradients = NormalizationGradients(
      scale: pass.gradient(scale), shift: pass.gradient(shift),
      bias: bias.map { pass.gradient($0) })
    for (index, range) in pass.ranges.enumerated() {
      gradient.rows(range).normalizeRowsBackward(
        normalized: activations.normalized.rows(range),
        inverseDeviations: activations.inverseDeviations.base + range.lowerBound,
        scale: pass.weights[scale], dropout: site.flatMap { pass.dropout($0, sequence: index) },
        gradients, branchGradient: branchGradient?.rows(range))
    }
  }
}
