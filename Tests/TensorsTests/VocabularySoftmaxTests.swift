import Foundation
import Tensors
import TestSupport
import Testing

struct VocabularySoftmaxTests {
  @Test(arguments: [5, 8, 32, 33, 47, 100])
  func lossBestAndGradientMatchTheTextbook(vocabulary: Int) {
    let storage = Storage(count: vocabulary * 3)
    let logits = storage[0..<vocabulary]
    let (bias, biasGradient) = (
      storage[vocabulary..<2 * vocabulary], storage[2 * vocabulary..<3 * vocabulary]
    )
    randomize(logits, scale: 5, seed: 1)
    randomize(bias, scale: 1, seed: 2)
    let sums = (0..<vocabulary).map { Double(logits.base[$0] + bias.base[$0]) }
    let total = sums.map { exp($0) }.reduce(0, +)
    let target = vocabulary / 2
    let (outcome, sum) = logits.vocabularySoftmax(
      row: 0, bias: bias, target: Int32(target), draws: nil)
    #expect(abs(Double(outcome.loss) - (log(total) - sums[target])) < 1e-5)
    #expect(sums[Int(outcome.best)] == sums.max())
    #expect(outcome.sample == -1)
    logits.vocabularySoftmaxBackward(
      row: 0, target: Int32(target), sum: sum, weight: 0.25, biasGradient: biasGradient)
    for i in 0..<vocabulary {
      let expected = 0.25 * (exp(sums[i]) / total - (i == target ? 1 : 0))
      #expect(abs(Double(logits.base[i]) - expected) < 1e-6)
      #expect(logits.base[i] == biasGradient.base[i])
    }
  }

  @Test
  func aTargetOutsideTheVocabularyIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 20)
      _ = storage[0..<8].vocabularySoftmax(row: 0, bias: storage[8..<16], target: 8, draws: nil)
      withExtendedLifetime(storage) {}
    }
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 20)
      storage[4..<12].vocabularySoftmaxBackward(
        row: 0, target: -1, sum: 8, weight: 1, biasGradient: storage[12..<20])
      withExtendedLifetime(storage) {}
    }
  }
}
