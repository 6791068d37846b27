import Finetuning
import Models
import Runs
import TestSupport
import Testing
import Tokenization

/// The parts of a cross-validation.
struct FoldsTests {
  private func set(_ problem: Problem, _ text: String) throws -> ExampleSet {
    let folder = try TemporaryFolder()
    let task = Task.custom(
      problem, .table(Columns(first: .named("text"), label: .named("label"))))
    let tokenizer = Tokenizer(
      vocabulary: try Vocabulary(tokens: SpecialTokens.names + ["a"], source: "test"),
      normalization: .uncased)
    return try ExampleReader(task, tokenizer: tokenizer)
      .read(task.file(.development, at: try folder.write(text, "dev.tsv")))
  }

  private func labelled(_ labels: [String]) throws -> ExampleSet {
    try set(.classification, "text\tlabel\n" + labels.map { "a\t\($0)\n" }.joined())
  }

  /// Each fold has the same number of examples and of examples of each class, give or take one.
  @Test(arguments: [2, 3, 5, 23])
  func foldsAreEquallyLargeAndStratified(count: Int) throws {
    let labels = (0..<23).map { $0 % 4 == 0 ? "rare" : "usual" }
    let folds = try Folds(count, labelled(labels), seed: 7)
    func counts(_ items: [Int]) -> [Int] {
      (0..<count).map { fold in items.count { folds.assignment[$0] == fold } }
    }
    for items in [Array(0..<23), (0..<23).filter { $0 % 4 == 0 }, (0..<23).filter { $0 % 4 > 0 }] {
      let sizes = counts(items)
      #expect(sizes.reduce(0, +) == items.count)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(sizes)")
    }
  }

  @Test
  func theSeedChoosesTheFolds() throws {
    let data = try labelled((0..<40).map { "\($0 % 2)" })
    #expect(try Folds(4, data, seed: 1) == Folds(4, data, seed: 1))
    #expect(try Folds(4, data, seed: 1) != Folds(4, data, seed: 2))
  }

  @Test
  func scoresAreDealtAtRandom() throws {
    let data = try set(.regression, "text\tlabel\n" + (0..<10).map { "a\t\($0)\n" }.joined())
    let folds = try Folds(5, data, seed: 3)
    #expect((0..<5).allSatisfy { fold in folds.assignment.count { $0 == fold } == 2 })
    #expect(folds.assignment != (0..<10).map { $0 % 5 })
  }

  @Test(arguments: [1, 0, -3, 5])
  func theNumberOfFoldsIsBetweenTwoAndTheExamples(count: Int) throws {
    let data = try labelled(["x", "y", "x", "y"])
    #expect {
      _ = try Folds(count, data, seed: 1)
    } throws: { error in
      "\(error)".contains("--folds \(count) is not between 2 and the 4 examples")
    }
  }
}
