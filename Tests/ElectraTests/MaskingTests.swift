import Electra
import Foundation
import Layers
import Testing
import Tokenization

struct MaskingTests {
  private let special = PretrainingObjectiveTests.special

  private func masking(_ fraction: Double = 0.15, length: Int = 128) -> Masking {
    Masking(fraction: fraction, maximumLength: length, special: special, seed: 1)
  }

  /// The reference: int((p + 0.005) * length) at most, [CLS] and [SEP] counted, at least one.
  @Test(arguments: [
    (0.15, 128, 128, 19), (0.15, 512, 512, 77), (0.25, 512, 512, 128), (0.15, 128, 5, 1),
    (0.15, 128, 30, 4),
  ])
  func countsAreTheReferences(fraction: Double, limit: Int, length: Int, expected: Int) {
    let batch = PretrainingObjectiveTests.batch(lengths: [length], vocabulary: 999)
    #expect(masking(fraction, length: limit).mask(batch).positions.count == expected)
  }

  @Test
  func specialTokensAreNeverDrawnAndPositionsAreDistinct() {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 40, count: 50), vocabulary: 12)
    let masked = masking().mask(batch)
    #expect(!masked.positions.isEmpty && Set(masked.positions).count == masked.positions.count)
    for (position, target) in zip(masked.positions, masked.targets) {
      #expect(batch.tokens[Int(position)] == target)
      #expect(![2, 3, 4].contains(target))
    }
  }

  /// The masked positions are those of a run without replacements.
  @Test(arguments: [[], (0..<999).map { $0 % 3 == 0 }])
  func replacedPositionsAreDisjointFromMaskedOnes(continuations: [Bool]) {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 40, count: 50), vocabulary: 999)
    func masking(_ replaced: Double) -> Masking {
      Masking(
        fraction: 0.15, maximumLength: 40, special: special,
        rules: .init(continuations: continuations, replacedFraction: replaced), seed: 1)
    }
    let (masked, replaced) = (masking(0.1).mask(batch), masking(0.1).replace(batch))
    #expect(masked == masking(0).mask(batch))
    #expect(Set(masked.positions).isDisjoint(with: replaced.positions))
    #expect(replaced.positions.count <= 200)
    #expect(!continuations.isEmpty || replaced.positions.count == 200)
    #expect(replaced.positions.count > 150 && replaced.positions == replaced.positions.sorted())
    for (position, target) in zip(replaced.positions, replaced.targets) {
      #expect(batch.tokens[Int(position)] == target)
      #expect(replaced.tokens[Int(position)] == special.mask)
    }
  }

  @Test
  func seventeenInTwentyShowTheMask() {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 128, count: 400), vocabulary: 999)
    let masked = masking().mask(batch)
    let shown = masked.positions.count { masked.tokens[Int($0)] == special.mask }
    let share = Double(shown) / Double(masked.positions.count)
    #expect(masked.positions.count == 7600)
    #expect(abs(share - 0.85) < 0.0164)  // four standard deviations of a binomial
    for (position, target) in zip(masked.positions, masked.targets) {
      #expect([special.mask, target].contains(masked.tokens[Int(position)]))
    }
  }

  /// 80 % [MASK], 10 % random tokens from the whole vocabulary, 10 % unchanged.
  @Test
  func bertsMaskingRuleHasRandomTokens() {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 128, count: 400), vocabulary: 999)
    let masking = Masking(
      fraction: 0.15, maximumLength: 128, special: special,
      rules: .init(maskingRule: .bert(vocabularySize: 999)), seed: 1)
    let masked = masking.mask(batch)
    #expect(masked.positions == self.masking().mask(batch).positions)
    let shown = zip(masked.positions, masked.targets).map { (masked.tokens[Int($0)], $1) }
    let count = Double(shown.count)
    let unchanged = shown.filter { $0 == $1 }
    let random = shown.filter { $0 != $1 && $0 != special.mask }.map(\.0)
    let shares = [count - Double(unchanged.count + random.count), Double(random.count)]
      .map { $0 / count }
    // Four standard deviations of binomials of 7600 draws.
    #expect(abs(shares[0] - 0.8) < 0.0184)
    #expect(abs(shares[1] - 0.1) < 0.0138)
    #expect(random.allSatisfy { (0..<999).contains($0) })
    #expect(random.contains { $0 < 5 } && random.contains { $0 > 990 })
    #expect(abs(Double(random.reduce(0) { $0 + Int($1) }) / Double(random.count) - 499) < 42)
  }

  /// Draws with replacement give fewer distinct positions; one draw of [MASK] is enough for a
  /// position.
  @Test
  func withReplacementSomePositionsComeAgain() {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 128, count: 400), vocabulary: 999)
    let masking = Masking(
      fraction: 0.15, maximumLength: 128, special: special,
      rules: .init(drawsWithReplacement: true), seed: 1)
    let masked = masking.mask(batch)
    #expect(masked.positions.count == 7600 && masked.positions == masked.positions.sorted())
    let distinct = Set(masked.positions).count
    // 19 draws from 126 candidates; the standard deviation of the sum over 400 sequences is about
    // 20.
    #expect(abs(Double(distinct) / 400 - 126 * (1 - pow(1 - 1 / 126, 19))) < 0.25)
    let shown = Set(masked.positions).count { masked.tokens[Int($0)] == special.mask }
    #expect(Double(shown) / Double(distinct) > 0.85)
    #expect(zip(masked.positions, masked.targets).allSatisfy { batch.tokens[Int($0)] == $1 })
  }

  @Test
  func everyPositionIsEquallyLikely() {
    let batch = PretrainingObjectiveTests.batch(
      lengths: Array(repeating: 22, count: 4000), vocabulary: 999)
    var hits = Array(repeating: 0, count: 22)
    for position in masking(0.15, length: 22).mask(batch).positions {
      hits[Int(position) % 22] += 1
    }
    #expect(hits[0] == 0 && hits[21] == 0)
    // 3 of 20 positions in each of 4000 sequences: mean 600, standard deviation 22.6.
    #expect(hits[1...20].allSatisfy { abs($0 - 600) < 100 })
  }

  @Test
  func drawsDependOnStepAndSequenceOnly() {
    var batch = PretrainingObjectiveTests.batch(lengths: [30, 30, 30], vocabulary: 99)
    let whole = masking().mask(batch)
    let parts = batch.microBatches(tokenLimit: 30).map { masking().mask($0) }
    #expect(parts.flatMap(\.tokens) == whole.tokens)
    batch.step += 1
    #expect(masking().mask(batch).positions != whole.positions)
  }

  /// Coordinates select random numbers, so no two masked positions have the same.
  @Test(arguments: [false, true])
  func coordinatesAreDistinct(drawsWithReplacement: Bool) {
    let masking = Masking(
      fraction: 0.4, maximumLength: 30, special: special,
      rules: .init(drawsWithReplacement: drawsWithReplacement), seed: 1)
    let masked = masking.mask(
      PretrainingObjectiveTests.batch(lengths: [30, 30, 30], vocabulary: 99))
    let distinct = Set(masked.coordinates.map { [$0.sequence, $0.ordinal] })
    #expect(distinct.count == masked.positions.count && distinct.count == 36)
    #expect((Set(masked.positions).count < 36) == drawsWithReplacement)
  }

  @Test
  func aSequenceWithoutCandidatesDrawsNothing() {
    let batch = Batch(tokens: [2, 3], segmentIDs: [0, 0], lengths: [2])
    #expect(masking().mask(batch).positions.isEmpty)
  }

  /// Ids above 500 continue words; a quarter of the words have three tokens.
  @Test
  func wordsAreDrawnWholeWithinTheBudget() {
    let length = 100
    var batch = Batch(step: 3)
    for sequence in 0..<200 {
      var tokens: [Int32] = [2]
      while tokens.count < length - 4 {
        let word = Int32(5 + (sequence * 31 + tokens.count * 17) % 400)
        tokens += tokens.count % 4 == 0 ? [word, word + 500, word + 501] : [word]
      }
      batch.append(tokens: tokens + [3], segmentIDs: repeatElement(0, count: tokens.count + 1))
    }
    let masking = Masking(
      fraction: 0.15, maximumLength: length, special: special,
      rules: .init(continuations: (0..<1000).map { $0 > 500 }), seed: 1)
    let drawn = Set(masking.mask(batch).positions)
    var parts = 0
    for range in batch.ranges {
      let count = range.count { drawn.contains(Int32($0)) }
      let wanted = Int((Double(range.count) * 0.15).rounded(.toNearestOrEven))
      #expect(count <= wanted && count >= wanted - 2)
      for position in range where batch.tokens[position] > 500 {
        #expect(drawn.contains(Int32(position)) == drawn.contains(Int32(position - 1)))
        parts += drawn.contains(Int32(position)) ? 1 : 0
      }
    }
    #expect(parts > 100)
    // Without whole-word masking some words are masked in part.
    let torn = Set(self.masking(length: length).mask(batch).positions)
    #expect(
      batch.tokens.indices.contains {
        batch.tokens[$0] > 500 && torn.contains(Int32($0)) != torn.contains(Int32($0 - 1))
      })
  }

  /// A word longer than the budget is never masked.
  @Test
  func aWordThatDoesNotFitIsPassedBy() {
    let tokens: [Int32] = [2, 9] + Array(repeating: 600, count: 60) + [3]
    let batch = Batch(tokens: tokens, segmentIDs: tokens.map { _ in 0 }, lengths: [tokens.count])
    let masking = Masking(
      fraction: 0.15, maximumLength: 64, special: special,
      rules: .init(continuations: (0..<1000).map { $0 > 500 }), seed: 1)
    #expect(masking.mask(batch).positions.isEmpty)
  }
}
