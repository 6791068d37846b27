import Foundation
import Tensors
import TestSupport
import Testing

struct CrossEntropyTests {
  /// The tolerance covers a few roundings in Double in another order.
  private let tolerance = 1e-14

  @Test(arguments: 1...12)
  func theLossIsMinusTheLogarithmOfTheSoftmax(count: Int) {
    var draws = Draws(state: UInt64(count))
    let logits = (0..<count).map { _ in Double.random(in: -9...9, using: &draws) }
    let sum = logits.reduce(0) { $0 + exp($1) }
    for label in 0..<count {
      let (loss, derivatives) = softmaxCrossEntropy(logits: logits, label: label)
      #expect(abs(loss - (log(sum) - logits[label])) < tolerance * 10)
      for (index, derivative) in derivatives.enumerated() {
        #expect(abs(derivative - exp(logits[index]) / sum + (index == label ? 1 : 0)) < tolerance)
      }
      #expect(abs(derivatives.reduce(0, +)) < tolerance)
    }
  }

  @Test
  func logitsThatNoExponentialHoldsAreNone() {
    let (loss, derivatives) = softmaxCrossEntropy(logits: [1e4, -1e4, 1e4], label: 1)
    #expect(abs(loss - (2e4 + log(2))) < 1e-10)
    #expect(derivatives == [0.5, -1, 0.5])
    let (probabilities, logarithm) = softmax([-1e4, -1e4])
    #expect(probabilities == [0.5, 0.5] && abs(logarithm - (log(2) - 1e4)) < 1e-10)
  }
}
