import Layers
import Tensors
import TestSupport
import Testing

/// Every layer's backward pass against central differences, with dropout, odd widths and unequal
/// lengths.
struct LayerGradientTests {
  private static let batch = Batch(
    tokens: [3, 1, 4, 1, 5, 9, 2, 6, 5], segmentIDs: [0, 0, 0, 1, 1, 0, 1, 0, 0],
    lengths: [5, 1, 3],
    step: 11, firstSequence: 6)

  /// Compares the gradients of `run` with central differences.
  ///
  /// The loss is the sum of the output times fixed random coefficients, which are the output's
  /// gradient. The tolerance allows for float32 rounding in differences of nearly equal losses.
  private func check(
    _ layout: ParameterLayout, output size: Int, tolerance: Double = 3e-3,
    run: (PassContext, Tensor?, Arena) -> Tensor
  ) {
    let coefficients = Storage(count: Self.batch.tokenCount * size)
    randomize(coefficients[0..<coefficients.count], scale: 1, seed: 5)
    let arena = Arena(capacity: 1 << 16)
    let results = compareGradients(of: layout, weights: randomWeights(layout, scale: 0.6)) {
      weights, gradient in
      arena.release(to: 0)
      let pass = PassContext(
        batch: Self.batch, weights: Weights(weights), gradient: gradient, seed: 3)
      let outputGradient = arena.tensor(Self.batch.tokenCount, size)
      outputGradient.base.update(from: coefficients.base, count: coefficients.count)
      let output = run(pass, gradient == nil ? nil : outputGradient, arena)
      return (0..<coefficients.count).reduce(0.0) {
        $0 + Double(output.base[$1]) * Double(coefficients.base[$1])
      }
    }
    for result in results { #expect(result.error < tolerance, "\(result)") }
  }

  @Test(arguments: [(6, 2), (10, 1), (24, 3)])
  func encoderLayersAgreeWithDifferences(size: Int, heads: Int) {
    var layout = ParameterLayout()
    let input = layout.declare("input", [9, size], .zeros)
    let sizes = EncoderSizes(
      hiddenSize: size, layerCount: 2, headCount: heads, intermediateSize: size + 7)
    let encoder = TransformerEncoder("encoder", sizes, in: &layout)
    check(layout, output: size) { pass, outputGradient, arena in
      let activations = TransformerEncoder.Activations(sizes, pass.shape, arena: arena)
      let states = HiddenStates(9, size, in: .float32, arena: arena)
      states.values.copy(from: pass.weights[input])
      let output = encoder.forward(states, activations, pass)
      if let outputGradient {
        encoder.backward(outputGradient, input: states, activations, pass)
        pass.gradient(input).add(outputGradient)
      }
      return output.values
    }
  }

  @Test(arguments: [5, 8, 17])
  func embeddingsAgreeWithDifferences(size: Int) {
    var layout = ParameterLayout()
    let embeddings = Embeddings(
      "embeddings",
      Embeddings.Sizes(vocabularySize: 11, positionCount: 7, typeCount: 2, size: size),
      epsilon: 1e-12, standardDeviation: 0.02, positions: .sinusoids(standardDeviation: 0.02),
      in: &layout)
    let site = DropoutSite("test", rate: 0.2)
    check(layout, output: size) { pass, outputGradient, arena in
      let activations = Embeddings.Activations(pass.shape, size: size, arena: arena)
      embeddings.forward(
        tokens: Self.batch.tokens, segmentIDs: Self.batch.segmentIDs, activations, dropout: site,
        pass)
      if let outputGradient {
        embeddings.backward(
          outputGradient, tokens: Self.batch.tokens, segmentIDs: Self.batch.segmentIDs, activations,
          dropout: site, pass)
      }
      return activations.output.values
    }
  }

  @Test
  func linearAgreesWithDifferences() {
    var layout = ParameterLayout()
    let input = layout.declare("input", [9, 5], .zeros)
    let linear = Linear("linear", input: 5, output: 3, standardDeviation: 0.02, in: &layout)
    check(layout, output: 3) { pass, outputGradient, arena in
      let output = arena.tensor(9, 3)
      linear.forward(.float32(pass.weights[input]), into: .float32(output), pass)
      if let outputGradient {
        pass.gradient(linear.bias).addSumOfRows(of: outputGradient)
        linear.backward(
          outputGradient: .float32(outputGradient), input: .float32(pass.weights[input]),
          into: pass.gradient(input), adding: true, pass)
      }
      return output
    }
  }

  @Test
  func aWrongGradientIsSeen() {
    var layout = ParameterLayout()
    let values = layout.declare("values", [40], .zeros)
    let results = compareGradients(of: layout, weights: randomWeights(layout, scale: 1)) {
      weights, gradient in
      let x = weights[values]
      var loss = 0.0
      for i in 0..<40 {
        loss += Double(x.base[i] * x.base[i])
        gradient?[values].base[i] = 2.05 * x.base[i]
      }
      return loss
    }
    #expect(results.contains { $0.error > 3e-3 })
  }
}
