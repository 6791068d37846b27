import Corpus
import Testing
import Tokenization

/// The rules of the reference, on documents small enough to compute by hand.
///
/// With a maximum length of 23, the target of the first segment is (23 - 3) / 2 = 10.
struct ExampleBuilderTests {
  private let special: SpecialTokens

  init() throws { special = try letterTokenizer().vocabulary.special }

  /// The examples of one document whose sentences have these lengths; its tokens are 100, 101, ...
  private func build(
    _ lengths: [Int], document: Int, maximum: Int = 23
  ) -> (examples: [Example], dropped: Int) {
    var builder = ExampleBuilder(
      maximumLength: maximum, special: special, seed: 3, document: document)
    var next: Int32 = 100
    for length in lengths {
      builder.add((0..<length).map { next + Int32($0) })
      next += Int32(length)
    }
    builder.endDocument()
    return (builder.examples, builder.droppedTokens)
  }

  private func example(_ first: [Int32], _ second: [Int32] = []) -> Example {
    let (cls, sep) = (special.classification, special.separator)
    return Example(
      tokens: [cls] + first + [sep] + (second.isEmpty ? [] : second + [sep]),
      firstLength: first.count + 2)
  }

  /// How often the single example of a document is `wanted`; all others must be `otherwise`.
  private func share(_ lengths: [Int], _ wanted: Example, _ otherwise: Example) -> Double {
    var count = 0
    for document in 0..<4000 {
      let examples = build(lengths, document: document).examples
      #expect(examples == [wanted] || examples == [otherwise])
      if examples == [wanted] { count += 1 }
    }
    return Double(count) / 4000
  }

  @Test
  func oneExampleInTenHasOneSegment() {
    let share = share(
      [10, 10], example(Array(100..<120)), example(Array(100..<110), Array(110..<120)))
    #expect(abs(share - 0.1) < 0.02)  // four standard deviations
  }

  @Test
  func aCoinDecidesWhereTheSentenceInTheMiddleGoes() {
    // 4 + 12 is past 10, but 4 is not: 0.1 + 0.9 / 2.
    let share = share(
      [4, 12], example(Array(100..<116)), example(Array(100..<104), Array(104..<116)))
    #expect(abs(share - 0.55) < 0.035)  // over four standard deviations
  }

  @Test
  func aSentenceThatJustFillsTheTargetMeetsTheCoinAndAShortOneMayFollowIntoTheFirst() {
    // 4 + 6 is not less than 10. When it goes to the second segment, 4 + 5 < 10 still joins the
    // first; when it goes to the first, the five tokens after it do not.
    let outcomes = (0..<4000).map { build([4, 6, 5], document: $0).examples }
    let split = [example(Array(100..<104) + Array(110..<115), Array(104..<110))]
    let joined = [example(Array(100..<110), Array(110..<115))]
    let single = [example(Array(100..<115))]
    #expect(outcomes.allSatisfy { [split, joined, single].contains($0) })
    for (outcome, share) in [(split, 0.45), (joined, 0.45), (single, 0.1)] {
      // Over four standard deviations.
      #expect(abs(Double(outcomes.count { $0 == outcome }) / 4000 - share) < 0.035)
    }
  }

  @Test
  func anExampleIsMadeWhenTheTargetIsReached() {
    // 22 tokens give no example, 23 do. Tokens that do not fit begin the next example.
    #expect(build([11, 11], document: 1).examples.count == 1)
    let (examples, dropped) = build([11, 12, 12], document: 1)
    #expect(examples.count == 2 && dropped == 0)
    #expect(examples[0].tokens.count == 23)
  }

  @Test
  func oneExampleInTwentyIsShort() {
    let examples = build([Int](repeating: 1, count: 400_000), document: 2, maximum: 64).examples
    // Sentences of one token reach the target exactly; from 62 on the example is full.
    let short = examples.filter { $0.tokens.count < 62 }.map { $0.tokens.count - 3 }
    let share = Double(short.count) / Double(examples.count)
    #expect(abs(share - 0.05 * 54 / 60) < 0.01)
    let shortest = short.min() ?? 0
    #expect((4...5).contains(shortest))  // 5, or 4 + the separator that one segment saves
    #expect(examples[0].tokens.count >= 63)
  }

  @Test(arguments: [[1], [200], [5, 90, 3, 3, 60, 1], [7, 7, 7, 7], [2048, 1, 2048]])
  func nothingIsLostButWhatIsCounted(lengths: [Int]) {
    for document in 0..<200 {
      let (examples, dropped) = build(lengths, document: document)
      let kept = examples.flatMap { $0.tokens }.filter { $0 >= 100 }
      #expect(Set(kept).count == kept.count)
      #expect(kept.count + dropped == lengths.reduce(0, +))
      #expect(dropped < 8)
      for example in examples {
        #expect(example.tokens.count <= 23 && example.firstLength <= example.tokens.count)
        #expect(example.tokens.first == special.classification)
        #expect(example.tokens.last == special.separator)
        #expect(example.tokens[example.firstLength - 1] == special.separator)
      }
    }
  }

  @Test
  func chancesDependOnSeedAndDocumentAlone() {
    let lengths = [Int](repeating: 9, count: 60)
    #expect(build(lengths, document: 4) == build(lengths, document: 4))
    #expect(build(lengths, document: 4).examples != build(lengths, document: 5).examples)
  }
}
