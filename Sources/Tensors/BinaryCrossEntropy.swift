// The loss of a binary decision from its logit.

/// Sigmoid cross-entropy in nats of logit z for label y in {0, 1}: max(z, 0) - z y + log(1 + e^-|z|),
/// and its derivative, sigmoid(z) - y. In Double: there is one a token, and its sum is the loss.
package func sigmoidCrossEntropy(logit: Float, label: Bool) -> (loss: Double, derivative: Float) {
  let z = Double(logit)
  let tail = naturalExponential(-abs(z))
  let loss = max(z, 0) - (label ? z : 0) + logarithmOfOnePlus(tail)
  let sigmoid = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
  return (loss, Float(sigmoid - (label ? 1 : 0)))
}
