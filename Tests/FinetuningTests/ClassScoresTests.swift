import Finetuning
import Foundation
import Testing

/// Scores of single classes and confusion matrices.
struct ClassScoresTests {
  private static let classification = Task.custom(
    .classification, .table(Columns(first: .named("text"), label: .named("label"))))

  private func scores(_ labels: [String], _ predicted: [Int]) throws -> ClassScores {
    let text = "text\tlabel\n" + labels.map { "the cat\t\($0)\n" }.joined()
    let set = try read(
      Self.classification, .development, text, labels: LabelSet(["a", "b", "c"]))
    return try #require(set.classScores(of: .labels(predicted)))
  }

  /// The values of scikit-learn's classification_report and confusion_matrix.
  @Test
  func aClassHasPrecisionRecallAndSupport() throws {
    let scores = try scores(["a", "a", "a", "b", "b", "a"], [0, 0, 1, 1, 0, 0])
    #expect(scores.classes.map(\.name) == ["a", "b", "c"])
    #expect(scores.classes.map(\.counts.support) == [4, 2, 0])
    #expect(scores.classes.map(\.counts.precision) == [0.75, 0.5, 0])
    #expect(scores.classes.map(\.counts.recall) == [0.75, 0.5, 0])
    #expect(scores.classes.map(\.counts.f1) == [0.75, 0.5, 0])
    #expect(scores.confusion == ["a": ["a": 3, "b": 1], "b": ["a": 1, "b": 1]])
  }

  /// The scores of two halves add up to those of the whole, as the folds of a cross-validation do.
  @Test
  func partsAddUpToTheWhole() throws {
    let (labels, predicted) = (["a", "b", "c", "b", "a"], [0, 1, 0, 2, 0])
    var sum = try scores(Array(labels[..<2]), Array(predicted[..<2]))
    sum.add(try scores(Array(labels[2...]), Array(predicted[2...])))
    #expect(try sum == scores(labels, predicted))
  }

  @Test
  func theJSONHasTheScoresAndReadsBack() throws {
    let scores = try scores(["a", "a", "b"], [0, 1, 1])
    let data = try JSONEncoder().encode(scores)
    #expect(try JSONDecoder().decode(ClassScores.self, from: data) == scores)
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let first = (object?["classes"] as? [[String: Any]])?.first
    #expect(first?["recall"] as? Double == 0.5 && first?["precision"] as? Double == 1)
  }

  /// Tags that mark entities are scored by kind, other tags one by one.
  @Test
  func tagsAreScoredAsEntitiesOrAsTags() throws {
    let task = Task.custom(.tagging, .words(WordColumns()))
    let entities = try read(
      task, .training, "the B-NP\ncat I-NP\nsat B-VP\non O\nmat B-NP\n", as: "train.txt")
    let predictions = Predictions.tags([["B-NP", "I-NP", "O", "O", "B-VP"]])
    let kinds = try #require(entities.classScores(of: predictions))
    #expect(kinds.classes.map(\.name) == ["NP", "VP"] && kinds.confusion == nil)
    let counts = kinds.classes.map(\.counts)
    #expect(counts.map(\.correct) == [1, 0] && counts.map(\.support) == [2, 1])
    #expect(counts.map(\.precision) == [1, 0] && counts.map(\.recall) == [0.5, 0])
    let words = try read(task, .training, "the DT\ncat NN\nsat VB\n", as: "train.txt")
    let tags = try #require(words.classScores(of: .tags([["DT", "DT", "VB"]])))
    #expect(tags.confusion == ["DT": ["DT": 1], "NN": ["DT": 1], "VB": ["VB": 1]])
  }

  /// Results may have been edited, and sums of such counts would overflow.
  @Test(arguments: ["-1", "9223372036854775807"])
  func countsThatNoFileHasAreRefused(count: String) throws {
    func decode(support: String, cell: String) throws -> ClassScores {
      let entry = #"{"name": "a", "correct": 1, "predicted": 1, "support": \#(support)}"#
      let text =
        #"{"split": "dev", "classes": [\#(entry)], "confusion": {"a": {"a": \#(cell)}}}"#
      return try JSONDecoder().decode(ClassScores.self, from: Data(text.utf8))
    }
    #expect(try decode(support: "1", cell: "1").classes.map(\.counts.f1) == [1])
    #expect(throws: DecodingError.self) { try decode(support: count, cell: "1") }
    #expect(throws: DecodingError.self) { try decode(support: "1", cell: count) }
  }

  @Test
  func scoresAndUnlabelledSetsHaveNoClasses() throws {
    let task = Task.custom(
      .regression, .table(Columns(first: .named("text"), label: .named("label"))))
    let set = try read(task, .training, "text\tlabel\nthe\t1\ncat\t2\n")
    #expect(set.classScores(of: .scores([1, 2])) == nil)
    let test = try read(
      Self.classification, .test, "text\nthe cat\n", labels: LabelSet(["a", "b"]))
    #expect(test.classScores(of: .labels([0])) == nil)
  }
}
