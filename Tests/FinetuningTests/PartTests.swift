import Finetuning
import Testing

/// Parts of a set, as the folds of a cross-validation.
struct PartTests {
  @Test
  func aPartHasItsRowsAndTheirBothOrders() throws {
    let task = try Task.named("mrpc")
    let text =
      "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
      + "1\t1\t2\tthe\tcat\n0\t3\t4\tsat\ton\n1\t5\t6\ta\tmat\n"
    let train = try read(task, .training, text)
    #expect(train.itemCount == 3 && train.examples.count == 6)
    let part = train.part { $0 != 1 }
    #expect(part.itemCount == 2)
    #expect(part.examples == Array(train.examples[0..<2] + train.examples[4..<6]))
    let dev = try read(task, .development, text)
    #expect(dev.itemClasses == [1, 0, 1])
    #expect(dev.part { $0 == 1 }.examples == [dev.examples[1]])
    #expect(try dev.part { $0 == 2 }.files(of: .labels([0]))[0].text.hasSuffix("2\t0\n"))
  }

  /// A long sentence has several sequences, which stay together.
  @Test
  func aPartHasItsSentencesWithAllPieces() throws {
    let words = (0..<30).map { "w\($0) X \($0 % 2 == 0 ? "B-A" : "O")\n" }
    let text = ["the X O\n", words.joined(), "cat X B-B\n"].joined(separator: "\n")
    let whole = try read(try .named("ner"), .development, text, length: 12)
    let tags = whole.examples.map { example -> [Float] in
      guard case .tags(let tags) = example.target else { return [] }
      return tags.flatMap { tag in (0..<3).map { Float($0 == Int(tag) ? 1 : 0) } }
    }
    let part = whole.part { $0 > 0 }
    #expect(part.itemCount == 2 && part.examples == Array(whole.examples.dropFirst()))
    let first = whole.part { $0 == 0 }.predictions(outputs: Array(tags[..<1]))
    let others = part.predictions(outputs: Array(tags[1...]))
    #expect(
      Predictions([others, first], assignment: [1, 0, 0]) == whole.predictions(outputs: tags))
    #expect(part.scores(of: others).map(\.value) == [1, 1, 1, 1])
  }

  @Test
  func predictionsOfPartsReturnToTheirOrder() {
    let scores = Predictions(
      [.scores([1, 2]), .scores([3]), .scores([4, 5])], assignment: [2, 0, 0, 1, 2])
    #expect(scores == .scores([4, 1, 2, 3, 5]))
    let sets = Predictions([.labelSets([[0]]), .labelSets([[], [1]])], assignment: [1, 0, 1])
    #expect(sets == .labelSets([[], [0], [1]]))
  }
}
