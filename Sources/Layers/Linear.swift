import Tensors

/// A dense layer's weight and bias: y = x W^T + b.
///
/// Both passes leave the bias to the caller, who adds it, and sums its gradient, in the same sweep
/// as what comes next (GELU, dropout, normalisation).
package struct Linear: Sendable {
  package let weight: Parameter  // (output, input)
  package let bias: Parameter  // (output)

  package init(weight: Parameter, bias: Parameter) {
    self.weight = weight
    self.bias = bias
  }

  /// Declares `name.weight` and `name.bias`.
  package init(
    _ name: String, input: Int, output: Int, standardDeviation: Float,
    in layout: inout ParameterLayout
  ) {
    weight = layout.declare(
      name + ".weight", [output, input], .truncatedNormal(standardDeviation: standardDeviation))
    bias = layout.declare(name + ".bias", [output], .zeros)
  }

  /// `output` (N, output) = `input` (N, input) W^T.
  package func product(_ input: Tensor, into output: Tensor, _ pass: PassContext) {
    output.multiply(input.plain, pass.weights[weight].transposed)
  }

  /// `output` (N, output) = `input` (N, input) W^T + b.
  package func forward(_ input: Tensor, into output: Tensor, _ pass: PassContext) {
    product(input, into: output, pass)
    output.addToRows(pass.weights[bias])
  }

  /// Adds the weight's gradient, and writes (or adds) the gradient of the input.
  package func backward(
    outputGradient: Tensor, input: Tensor, into inputGradient: Tensor, adding: Bool,
    _ pass: PassContext
  ) {
    pass.gradient(weight).multiply(outputGradient.transposed, input.plain, adding: true)
    inputGradient.multiply(outputGradient.plain, pass.weights[weight].plain, adding: adding)
  }
}
