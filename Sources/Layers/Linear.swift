import Tensors

/// The weight and bias of a dense layer: y = x W^T + b.
///
/// `product` and `backward` leave out the bias. The caller adds it, and sums its gradient, in the
/// same sweep as the next operation (dropout, normalisation), which saves one pass over memory. For
/// GELU there are methods for both operations.
///
/// Products of float32 operands are float32 also in a run whose arithmetic is bfloat16: so the
/// heads of fine-tuning choose it by their operands.
package struct Linear: Sendable {
  package let weight: Parameter  // (output, input)
  package let bias: Parameter  // (output)

  /// A layer of parameters that are declared already.
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
  package func product(_ input: Operand, into output: Tensor, _ pass: PassContext) {
    output.multiply(input.plain, pass.weights.transposed(of: weight, for: input))
  }

  /// `output` (N, output) = `input` (N, input) W^T + b.
  package func forward(_ input: Operand, into output: Operand, _ pass: PassContext) {
    output.multiply(
      input.plain, pass.weights.transposed(of: weight, for: input), bias: pass.weights[bias])
  }

  /// `output` (N, output) = gelu(`input` (N, input) W^T + b).
  ///
  /// `derivative` (N, output) receives the derivative of GELU for the backward pass.
  package func forwardWithGELU(
    _ input: Operand, derivative: Tensor, into output: Operand, _ pass: PassContext
  ) {
    derivative.multiplyGELU(
      input.plain, pass.weights.transposed(of: weight, for: input), bias: pass.weights[bias],
      into: output)
  }

  /// Adds the gradient of the weight, and writes (or, if `adding`, adds) the gradient of the input.
  ///
  /// `outputGradient` is (N, output), `input` and `inputGradient` are (N, input). The caller sums
  /// the gradient of the bias.
  package func backward(
    outputGradient: Operand, input: Operand, into inputGradient: Tensor, adding: Bool,
    _ pass: PassContext
  ) {
    addWeightGradient(outputGradient, input, pass)
    inputGradient.multiply(
      outputGradient.plain, pass.weights.plain(of: weight, for: outputGradient), adding: adding)
  }

  /// Adds the gradient of the weight and writes the gradient of the input as an operand.
  ///
  /// For an input that only products read, whose gradient is a factor of products again. Shapes are
  /// those of the other `backward`.
  package func backward(
    outputGradient: Operand, input: Operand, into inputGradient: Operand, _ pass: PassContext
  ) {
    addWeightGradient(outputGradient, input, pass)
    inputGradient.multiply(
      outputGradient.plain, pass.weights.plain(of: weight, for: outputGradient))
  }

  /// Adds the gradient of the weight for an input that is the output of GELU, and writes the
  /// gradient of GELU's input as an operand.
  ///
  /// `derivative` (N, input) was written by `forwardWithGELU` of the layer before; `bias` is that
  /// layer's, and its gradient is added.
  func backwardThroughGELU(
    outputGradient: Operand, input: Operand, derivative: Tensor, bias: Parameter,
    into inputGradient: Operand, _ pass: PassContext
  ) {
    addWeightGradient(outputGradient, input, pass)
    inputGradient.multiplyGELUBackward(
      outputGradient.plain, pass.weights.plain(of: weight, for: outputGradient),
      derivative: derivative, biasGradient: pass.gradient(bias))
  }

  private func addWeightGradient(
    _ outputGradient: Operand, _ input: Operand, _ pass: PassContext
  ) {
    pass.gradient(weight).multiply(outputGradient.transposed, input.plain, adding: true)
  }
}
