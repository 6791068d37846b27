// The losses of decisions from their logits, in Double: there are few to a sequence.

/// Softmax cross-entropy in nats of `logits` for the entry `label`, and its derivatives,
/// softmax(z) - one at the label. Sums run from the first entry to the last.
package func softmaxCrossEntropy(
  logits: [Double], label: Int
) -> (loss: Double, derivatives: [Double]) {
  let (probabilities, logarithm) = softmax(logits)
  var derivatives = probabilities
  derivatives[label] -= 1
  return (logarithm - logits[label], derivatives)
}

/// The softmax of `logits`, and the logarithm of the sum of their exponentials.
package func softmax(_ logits: [Double]) -> (probabilities: [Double], logarithm: Double) {
  let largest = logits.reduce(-Double.infinity) { max($0, $1) }
  let powers = logits.map { naturalExponential($0 - largest) }
  let sum = powers.reduce(0, +)
  return (powers.map { $0 / sum }, largest + naturalLogarithm(sum))
}

/// Sigmoid cross-entropy in nats of logit z for label y in {0, 1}: max(z, 0) - z y + log(1 + e^-|z|),
/// and its derivative, sigmoid(z) - y.
package func sigmoidCrossEntropy(logit: Float, label: Bool) -> (loss: Double, derivative: Float) {
  let z = Double(logit)
  let tail = naturalExponential(-abs(z))
  let loss = max(z, 0) - (label ? z : 0) + logarithmOfOnePlus(tail)
  let sigmoid = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
  return (loss, Float(sigmoid - (label ? 1 : 0)))
}
