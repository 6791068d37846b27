// Losses of classification heads, in Double, since there are only a few logits per sequence.

/// Softmax cross-entropy in nats for the class `label`, and its derivatives by the logits.
///
/// The derivatives are softmax(logits) minus the one-hot label. Sums run from the first entry to
/// the last. NaN logits make the loss NaN.
package func softmaxCrossEntropy(
  logits: [Double], label: Int
) -> (loss: Double, derivatives: [Double]) {
  let (probabilities, logarithm) = softmax(logits)
  var derivatives = probabilities
  derivatives[label] -= 1
  return (logarithm - logits[label], derivatives)
}

/// The softmax of `logits`, and the logarithm of the sum of their exponentials (log-sum-exp).
package func softmax(_ logits: [Double]) -> (probabilities: [Double], logarithm: Double) {
  let largest = logits.reduce(-Double.infinity) { max($0, $1) }
  let powers = logits.map { naturalExponential($0 - largest) }
  let sum = powers.reduce(0, +)
  return (powers.map { $0 / sum }, largest + naturalLogarithm(sum))
}

/// The logistic function 1 / (1 + e^-z), without overflow.
package func sigmoid(_ z: Double) -> Double {
  let tail = naturalExponential(-abs(z))
  return z >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
}

/// Sigmoid cross-entropy in nats for a binary label, and its derivative by the logit.
///
/// For logit z and label y in {0, 1} the loss is max(z, 0) - z y + log(1 + e^-|z|), which does not
/// overflow, and the derivative is sigmoid(z) - y.
package func sigmoidCrossEntropy(logit: Float, label: Bool) -> (loss: Double, derivative: Float) {
  let z = Double(logit)
  let tail = naturalExponential(-abs(z))
  let loss = max(z, 0) - (label ? z : 0) + logarithmOfOnePlus(tail)
  return (loss, Float(sigmoid(z) - (label ? 1 : 0)))
}
