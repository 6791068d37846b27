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

  /// The rule of the reference: the largest logit - log(-log(u + 1e-9) + 1e-9).
  @Test
  func samplesAreTheReferencesForGivenDraws() {
    let vocabulary = 53
    let storage = Storage(count: vocabulary * 3)
    let (logits, bias) = (storage[0..<vocabulary], storage[vocabulary..<2 * vocabulary])
    let uniform = storage[2 * vocabulary..<3 * vocabulary]
    for trial in 0..<200 {
      randomize(logits, scale: 3, seed: trial)
      RandomStream(seed: 1, site: 1, step: trial, sequence: 0)
        .fillUniform(uniform.base, count: vocabulary)
      let scores = (0..<vocabulary).map {
        Double(logits.base[$0]) - log(-log(Double(uniform.base[$0]) + 1e-9) + 1e-9)
      }
      let expected = scores.indices.max { scores[$0] < scores[$1] }
      let (outcome, _) = logits.vocabularySoftmax(
        row: 0, bias: bias, target: 0, draws: .given(uniform.base))
      #expect(Int(outcome.sample) == expected)
    }
  }

  /// Plain, with a temperature, and without the target.
  @Test(arguments: [
    SamplingRule(), SamplingRule(temperature: 2.5), SamplingRule(temperature: 0.5),
    SamplingRule(excludesTarget: true), SamplingRule(temperature: 1.5, excludesTarget: true),
  ])
  func samplesFollowTheSoftmax(rule: SamplingRule) {
    let vocabulary = 41
    let storage = Storage(count: vocabulary * 2)
    let (logits, bias) = (storage[0..<vocabulary], storage[vocabulary..<2 * vocabulary])
    var hits = Array(repeating: 0, count: vocabulary)
    let trials = 20_000
    for trial in 0..<trials {
      for i in 0..<vocabulary { logits.base[i] = Float(i % 5) * 0.7 }
      let stream = RandomStream(seed: 2, site: 9, step: trial, sequence: 0)
      let (outcome, _) = logits.vocabularySoftmax(
        row: 0, bias: bias, target: 4, draws: .stream(stream, firstBlock: 0), rule: rule)
      hits[Int(outcome.sample)] += 1
    }
    let weights = (0..<vocabulary).map {
      rule.excludesTarget && $0 == 4 ? 0 : exp(Double($0 % 5) * 0.7 / Double(rule.temperature))
    }
    let total = weights.reduce(0, +)
    #expect(!rule.excludesTarget || hits[4] == 0)
    let statistic = (0..<vocabulary).filter { weights[$0] > 0 }.reduce(0.0) {
      let expected = weights[$1] / total * Double(trials)
      return $0 + (Double(hits[$1]) - expected) * (Double(hits[$1]) - expected) / expected
    }
    #expect(statistic < 80)  // chi-squared with 40 degrees of freedom: one in 5000 is above
  }

  /// So that a diverged run reaches the check that reports it, instead of crashing here.
  @Test
  func logitsThatAreNoNumbersDrawAnEntryOfTheVocabulary() {
    let vocabulary = 41
    let storage = Storage(count: vocabulary * 2)
    let (logits, bias) = (storage[0..<vocabulary], storage[vocabulary..<2 * vocabulary])
    for trial in 0..<100 {
      for i in 0..<vocabulary { logits.base[i] = .nan }
      let stream = RandomStream(seed: 2, site: 9, step: trial, sequence: 0)
      let (outcome, _) = logits.vocabularySoftmax(
        row: 0, bias: bias, target: 4, draws: .stream(stream, firstBlock: 0))
      #expect((0..<vocabulary).contains(Int(outcome.sample)))
    }
  }
}
