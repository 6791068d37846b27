import Foundation
import Tensors
import TestSupport
import Testing

struct VocabularySampleTests {
  /// A row of logits and a bias of zeros.
  private struct Row {
    let logits: Tensor
    let bias: Tensor
    private let storage: Storage

    /// A row that begins `offset` floats after an aligned address, between rows of NaN.
    init(_ vocabulary: Int, offset: Int = 0) {
      storage = Storage(count: 3 * vocabulary + offset)
      let rows = storage[0..<storage.count]
      rows.fill(.nan)
      logits = storage[offset..<vocabulary + offset]
      bias = storage[2 * vocabulary + offset..<3 * vocabulary + offset]
      bias.fill(0)
    }

    func sample(target: Int = 0, _ draws: SampleDraws, _ rule: SamplingRule = SamplingRule()) -> Int
    {
      let (outcome, _) = logits.vocabularySoftmax(
        row: 0, bias: bias, target: Int32(target), draws: draws, rule: rule)
      return Int(outcome.sample)
    }

    /// The sample of random logits from -3 to 3 by the inverse of the distribution function.
    func sample(
      seed: Int, at uniform: Double, target: Int = 0, _ rule: SamplingRule = SamplingRule()
    ) -> Int {
      randomize(logits, scale: 3, seed: seed)
      return sample(target: target, .inverse(uniform), rule)
    }

    /// The distribution of the sample of the current logits, in Double.
    func distribution(target: Int = 0, _ rule: SamplingRule = SamplingRule()) -> [Double] {
      let weights = (0..<logits.count).map {
        rule.excludesTarget && $0 == target
          ? 0 : exp(Double(logits.base[$0]) / Double(rule.temperature))
      }
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
  }

  /// The largest number below 1 of a random stream.
  private static let largest = 1 - 0x1p-53

  /// Plain, with a temperature, and without the target.
  private static let rules = [
    SamplingRule(), SamplingRule(temperature: 2.5), SamplingRule(temperature: 0.5),
    SamplingRule(excludesTarget: true), SamplingRule(temperature: 1.5, excludesTarget: true),
  ]

  /// The rule of the reference: the largest logit - log(-log(u + 1e-9) + 1e-9).
  @Test
  func gumbelSamplesAreTheReferencesForGivenDraws() {
    let row = Row(53)
    let storage = Storage(count: 53)
    let uniform = storage.base
    for trial in 0..<200 {
      randomize(row.logits, scale: 3, seed: trial)
      RandomStream(seed: 1, site: 1, step: trial, sequence: 0).fillUniform(uniform, count: 53)
      let scores = (0..<53).map {
        Double(row.logits.base[$0]) - log(-log(Double(uniform[$0]) + 1e-9) + 1e-9)
      }
      let expected = scores.indices.max { scores[$0] < scores[$1] }
      #expect(row.sample(.gumbel(.given(uniform))) == expected)
    }
  }

  /// Both ways to draw, with rows of less than a block and of several blocks.
  @Test(arguments: rules, [41, 600])
  func samplesFollowTheSoftmax(rule: SamplingRule, vocabulary: Int) {
    let row = Row(vocabulary)
    func setLogits() {
      for i in 0..<vocabulary { row.logits.base[i] = Float(i % 5) * 0.7 }
    }
    func chiSquared(_ hits: [Int], _ rule: SamplingRule) -> Double {
      setLogits()
      let trials = Double(hits.reduce(0, +))
      let entries = zip(hits, row.distribution(target: 4, rule)).filter { $1 > 0 }
      return entries.reduce(0) { sum, entry in
        let (count, expected) = (Double(entry.0), entry.1 * trials)
        return sum + (count - expected) * (count - expected) / expected
      }
    }
    // The mean of chi-squared is the degrees of freedom, its variance twice that: one in 10,000 is
    // above this bound.
    let freedom = Double(vocabulary - 1)
    let bound = freedom + 4 * (2 * freedom).squareRoot() + 8
    for draws in [
      { .inverse($0.uniform(0)) }, { .gumbel(.stream($0, firstBlock: 0)) },
    ] as [(RandomStream) -> SampleDraws] {
      var hits = Array(repeating: 0, count: vocabulary)
      for trial in 0..<20_000 {
        setLogits()
        let stream = RandomStream(seed: 2, site: 9, step: trial, sequence: 0)
        hits[row.sample(target: 4, draws(stream), rule)] += 1
      }
      #expect(!rule.excludesTarget || hits[4] == 0)
      #expect(chiSquared(hits, rule) < bound)
      // Negative control: another temperature.
      var other = rule
      other.temperature *= 1.5
      #expect(chiSquared(hits, other) > bound)
    }
  }

  /// The sample is the first entry whose cumulative probability in Double exceeds the number.
  @Test(arguments: rules, [5, 8, 255, 256, 257, 512, 3001])
  func theInverseIsTheTextbooks(rule: SamplingRule, vocabulary: Int) {
    let row = Row(vocabulary)
    for trial in 0..<50 {
      let target = trial % vocabulary
      let uniform = (Double(trial) + 0.37) / 50
      let sample = row.sample(seed: trial, at: uniform, target: target, rule)
      randomize(row.logits, scale: 3, seed: trial)
      let probabilities = row.distribution(target: target, rule)
      let before = probabilities[..<sample].reduce(0, +)
      // Exponentials and sums in float32 move the bounds by a few times 2^-24.
      #expect(uniform > before - 1e-6 && uniform < before + probabilities[sample] + 1e-6)
      #expect(!rule.excludesTarget || sample != target)
    }
  }

  /// The smallest and the largest number give the first and the last entry that may be sampled,
  /// although the sums of a block round up in some rows and down in others.
  @Test(arguments: [8, 255, 256, 257, 600])
  func theEndsOfTheIntervalAreTheEndsOfTheVocabulary(vocabulary: Int) {
    let row = Row(vocabulary)
    let excluded = SamplingRule(excludesTarget: true)
    for seed in 0..<100 {
      #expect(row.sample(seed: seed, at: 0) == 0)
      #expect(row.sample(seed: seed, at: 0, target: 0, excluded) == 1)
      #expect(row.sample(seed: seed, at: Self.largest) == vocabulary - 1)
      let last = row.sample(seed: seed, at: Self.largest, target: vocabulary - 1, excluded)
      #expect(last == vocabulary - 2)
    }
  }

  /// Two entries in the first and the third block of 256 share the probability; the exponentials of
  /// the others are the smallest ones, and the first of the second block is excluded.
  @Test
  func blocksOfNegligibleWeightAreSkipped() {
    let row = Row(700)
    let rule = SamplingRule(excludesTarget: true)
    for uniform in [0, 0.25, 0.4999, 0.5001, 0.75, Self.largest] {
      for i in 0..<700 { row.logits.base[i] = i == 3 || i == 690 ? 0 : -1000 }
      let sample = row.sample(target: 256, .inverse(uniform), rule)
      // At 0 the first entry is sampled, however small its weight.
      let expected = uniform == 0 ? 0 : uniform < 0.5 ? 3 : 690
      #expect(sample == expected, "\(uniform)")
    }
  }

  /// The bits of a sample depend on the row alone, wherever it begins.
  @Test
  func theAddressOfARowDoesNotChangeTheSample() {
    let rule = SamplingRule(temperature: 1.5, excludesTarget: true)
    let rows = (0..<9).map { Row(301, offset: $0) }
    for trial in 0..<500 {
      let uniform = RandomStream(seed: 5, site: 1, step: 0, sequence: 0).uniform(trial)
      // randomize(_:) depends on the count alone.
      let samples = rows.map { $0.sample(seed: trial, at: uniform, target: 7, rule) }
      #expect(Set(samples).count == 1)
    }
  }

  /// The only entry is excluded.
  @Test
  func withoutAnyWeightTheSampleIsTheFirstEntry() {
    let row = Row(1)
    let stream = RandomStream(seed: 2, site: 9, step: 0, sequence: 0)
    for draws in [.inverse(0), .inverse(0.5), .gumbel(.stream(stream, firstBlock: 0))]
      as [SampleDraws]
    {
      row.logits.base[0] = 1
      #expect(row.sample(draws, SamplingRule(excludesTarget: true)) == 0)
    }
  }

  /// So that a diverged run reaches the check that reports it, instead of crashing here.
  @Test(arguments: [0..<41, 40..<41, 3..<4], [Float.nan, .infinity])
  func logitsThatAreNoNumbersDrawAnEntryOfTheVocabulary(broken: Range<Int>, value: Float) {
    let row = Row(41)
    for trial in 0..<100 {
      let stream = RandomStream(seed: 2, site: 9, step: trial, sequence: 0)
      for draws in [.inverse(stream.uniform(0)), .gumbel(.stream(stream, firstBlock: 0))]
        as [SampleDraws]
      {
        row.logits.fill(1)
        for i in broken { row.logits.base[i] = value }
        #expect((0..<41).contains(row.sample(target: 4, draws)))
      }
    }
  }
}
