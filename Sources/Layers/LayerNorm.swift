import Tensors

/// Layer normalisation fused with the additions before it.
///
///     y = scale * normalize(residual + dropout(branch + bias)) + shift
///
/// (Ba et al. 2016.) One sweep over the rows adds the bias, applies dropout, adds the residual and
/// normalises. See `LayerNormalization.swift` in Tensors for the formulas.
package struct LayerNorm: Sendable {
  package let scale: Parameter  // (D)
  package let shift: Parameter  // (D)
  package let epsilon: Float

  /// Declares `name.weight`, with all entries `gain`, and `name.bias`, with all entries 0.
  package init(
    _ name: String, size: Int, epsilon: Float, gain: Float = 1, in layout: inout ParameterLayout
  ) {
    scale = layout.declare(name + ".weight", [size], .constant(gain))
    shift = layout.declare(name + ".bias", [size], .zeros)
    self.epsilon = epsilon
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    /// The branch before `forward`; the normalised rows afterwards. (N, D)
    package let normalized: Tensor
    /// 1 / sqrt(variance + epsilon) of each row. (1, N)
    package let inverseDeviations: Tensor
    package let output: HiddenStates  // (N, D)

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    ///
    /// In bfloat16 the values of the output are in `values` (N, D), if it is given: the memory of
    /// the residual stream, which all normalisations of an encoder overwrite.
    package init(_ shape: BatchShape, size: Int, values: Tensor? = nil, arena: Arena) {
      normalized = arena.tensor(shape.tokens, size)
      inverseDeviations = arena.tensor(1, shape.tokens)
      output = HiddenStates(
        shape.tokens, size, in: shape.arithmetic, values: values, arena: arena)
    }

    /// Activations in the memory of `other`, with a separate output.
    init(sharing other: Activations, _ shape: BatchShape, arena: Arena) {
      normalized = other.normalized
      inverseDeviations = other.inverseDeviations
      output = HiddenStates(
        other.output.rows, other.output.columns, in: shape.arithmetic, arena: arena)
    }
  }

  /// Normalises the branch in `activations.normalized`, in place; the result is
  /// `activations.output`.
  ///
  /// - Parameters:
  ///   - activations: holds the branch; filled for the backward pass.
  ///   - bias: the bias of the linear layer that computed the branch; nil for none.
  ///   - residual: the tensor added to the branch (N, D); nil for none.
  ///   - site: the dropout applied to the branch; nil for none.
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
        into: activations.output.values.rows(range), activations.output.operand.rows(range))
    }
  }

  /// Turns `gradient` (N, D) from the output's into the residual's, and writes the branch's
  /// gradient.
  ///
  /// Adds the gradients of scale, shift and bias. `branchGradient` (N, D) is nil where the branch
  /// has neither dropout nor a residual beside it: its gradient then equals `gradient`.
  package func backward(
    _ activations: Activations, gradient: Tensor, bias: Parameter?, dropout site: DropoutSite?,
    into branchGradient: Operand?, _ pass: PassContext
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
