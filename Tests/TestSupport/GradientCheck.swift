import Layers
import Tensors

/// The comparison of a gradient with central differences along one direction.
package struct GradientComparison: Sendable, CustomStringConvertible {
  package let parameter: String
  /// The directional derivative of the loss by the backward pass.
  package let backward: Double
  /// The directional derivative by central differences.
  package let difference: Double
  /// The norm of the parameter's gradient, the typical size of a derivative in a random direction.
  package let norm: Double
  /// The norm of the whole gradient.
  package let total: Double

  /// The error relative to the norm of the parameter's gradient.
  ///
  /// Differences of a float32 loss have noise in proportion to the whole gradient. A gradient below
  /// 5 % of it is therefore compared with these 5 % (the gradient of the key biases is zero).
  package var error: Double { abs(backward - difference) / max(norm, 0.05 * total) }

  package var description: String {
    "\(parameter): backward \(backward), differences \(difference), norm \(norm)"
  }
}

/// Compares every parameter's gradient with central differences along random directions.
///
/// To check the gradient of an input, declare the input as a parameter. A direction has entries of
/// +1 and -1, so that every entry contributes; the step is large enough for float32 losses. `loss`
/// runs the forward pass and, if it gets a gradient to add to, the backward pass.
package func compareGradients(
  of layout: ParameterLayout, weights: Storage, step: Float = 2e-3, directions: Int = 3,
  loss: (Storage, Storage?) -> Double
) -> [GradientComparison] {
  let gradient = Storage(count: layout.count)
  _ = loss(weights, gradient)
  let total = sumOfSquares(gradient.base, count: gradient.count).squareRoot()
  return layout.parameters.flatMap { parameter in
    (0..<directions).map { direction in
      let signs = randomSigns(parameter.count, seed: direction + 1)
      let values = gradient[parameter].base
      let backward = signs.indices.reduce(0.0) { $0 + Double(signs[$1]) * Double(values[$1]) }
      let norm = sumOfSquares(values, count: parameter.count).squareRoot()
      let above = shifted(weights, parameter, signs, step) { loss(weights, nil) }
      let below = shifted(weights, parameter, signs, -step) { loss(weights, nil) }
      return GradientComparison(
        parameter: parameter.name, backward: backward,
        difference: (above - below) / Double(2 * step), norm: norm, total: total)
    }
  }
}

private func shifted(
  _ weights: Storage, _ parameter: Parameter, _ signs: [Float], _ step: Float,
  _ body: () -> Double
) -> Double {
  let window = weights[parameter].base
  let before = Array(UnsafeBufferPointer(start: window, count: signs.count))
  defer { window.update(from: before, count: signs.count) }
  for i in signs.indices { window[i] += step * signs[i] }
  return body()
}

private func randomSigns(_ count: Int, seed: Int) -> [Float] {
  let stream = RandomStream(seed: 99, site: 1, step: seed, sequence: count)
  return (0..<count).map { stream.number(below: 2, index: $0) == 0 ? -1 : 1 }
}

extension RandomStream {
  /// Fills `count` floats with the uniform numbers in [0, 1) that the kernels use, in the same
  /// order.
  package func fillUniform(_ values: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count {
      // A block of 32 numbers is word 0 of eight counters, then word 1 of the same counters, and so
      // on.
      let words = block(UInt32(i / 32 * 8 + i % 8))
      values[i] = Float(words[i % 32 / 8] >> 8) * 0x1p-24
    }
  }
}

/// Fills a tensor with uniform random numbers in [-scale, scale).
package func randomize(_ tensor: Tensor, scale: Float, seed: Int) {
  let stream = RandomStream(seed: 7, site: 2, step: seed, sequence: tensor.count)
  stream.fillUniform(tensor.base, count: tensor.count)
  for i in 0..<tensor.count { tensor.base[i] = (2 * tensor.base[i] - 1) * scale }
}

/// Random values for all parameters, with a different seed for each.
package func randomWeights(_ layout: ParameterLayout, scale: Float) -> Storage {
  let weights = Storage(count: layout.count)
  for (index, parameter) in layout.parameters.enumerated() {
    randomize(weights[parameter], scale: scale, seed: index)
  }
  return weights
}
