import Finetuning
import TestSupport
import Testing

/// Examples with any number of labels, from file to targets, and from outputs to predictions.
struct MultilabelTests {
  private static let task = Task.custom(
    .multilabel, .table(Columns(first: .named("text"), label: .named("label"))))

  @Test(arguments: [
    ("text\tlabel\nthe\ta, c\ncat\t\nmat\tb|a|b\n", "train.tsv"),
    ("text\tlabel\nthe\tc,a\ncat\nmat\ta,b\n", "train.tsv"),
    ("text,label\nthe,\"a,c\"\ncat,\nmat,a|b\n", "train.csv"),
    (
      #"[{"text": "the", "label": ["c", "a"]}, {"text": "cat", "label": []},"#
        + #"{"text": "mat", "label": "a,b"}]"#, "train.json"
    ),
  ])
  func labelsComeInOneCellOrAList(text: String, name: String) throws {
    let set = try read(Self.task, .training, text, as: name)
    #expect(set.labels.names == ["a", "b", "c"] && set.outputCount == 3)
    #expect(set.examples.map(\.target) == [.labels([0, 2]), .labels([]), .labels([0, 1])])
  }

  /// Names in a list are taken whole.
  @Test
  func aListMayNameLabelsWithCommas() throws {
    let text = #"{"text": "the", "label": ["a,b"]}"# + "\n" + #"{"text": "cat", "label": ["c"]}"#
    let set = try read(Self.task, .training, text, as: "train.jsonl")
    #expect(set.labels.names == ["a,b", "c"])
  }

  @Test(arguments: [
    (SplitRole.training, "text\tlabel\nthe\ta\ncat\ta\n", "x.tsv", "every example"),
    (.training, "text\tlabel\nthe\ta,b\ncat\tb,a\n", "x.tsv", "every example"),
    (.training, "text\tlabel\nthe\t\ncat\t\n", "x.tsv", "has no labels"),
    (.development, "text\tlabel\nthe\ta\ncat\ta,z\n", "x.tsv", "line 3: the label \"z\""),
    (.development, "text\nthe\n", "x.tsv", "no column label"),
    (.development, "{\"text\": \"the\"}\n", "x.jsonl", "a text or a list of texts"),
    (.development, "{\"text\": \"the\", \"label\": [[1]]}\n", "x.jsonl", "a list of texts"),
  ])
  func whatIsWrongIsNamed(role: SplitRole, text: String, name: String, message: String) {
    let labels = role == .training ? nil : LabelSet(["a", "b"])
    let error = sentence { _ = try read(Self.task, role, text, as: name, labels: labels) }
    #expect(error.contains(message), "\(error)")
  }

  /// A test file without any label is not scored; one with some is.
  @Test
  func aTestFileMayHaveNoLabels() throws {
    let labels = LabelSet(["a", "b"])
    for text in ["text\nthe\ncat\n", "text\tlabel\nthe\t\ncat\n"] {
      let unknown = try read(Self.task, .test, text, as: "x.tsv", labels: labels)
      #expect(!unknown.isLabelled && unknown.examples.map(\.target) == [.none, .none])
    }
    let text = "text\tlabel\nthe\t\ncat\tb\n"
    let known = try read(Self.task, .test, text, as: "x.tsv", labels: labels)
    #expect(known.isLabelled && known.examples.map(\.target) == [.labels([]), .labels([1])])
  }

  @Test
  func lineBreaksInLabelsKeepTheRowsOfPredictions() throws {
    let set = try read(
      Self.task, .development, "text,label\nthe,\"a\nb\"\ncat,c\n", as: "dev.csv",
      labels: LabelSet(["a\nb", "c"]))
    #expect(
      try set.files(of: .labelSets([[0, 1], [1]]))[0].text == "index\tprediction\n0\ta b,c\n1\tc\n")
  }

  /// The scores of scikit-learn's f1_score (micro, macro with zero_division=0) and accuracy_score.
  @Test
  func answersAreTheLabelsAboveOneHalf() throws {
    let text = "text\tlabel\nthe\ta,b\ncat\ta\nsat\t\nmat\tb\n"
    let set = try read(
      Self.task, .development, text, as: "dev.tsv", labels: LabelSet(["a", "b", "c"]))
    let predictions = set.predictions(
      outputs: [[1, -1, 0], [2, -1, -3], [-1, -1, 0.5], [-1, 4, -1]])
    #expect(predictions == .labelSets([[0], [0], [2], [1]]))
    // Three of four predicted labels are correct, and four are gold.
    let scores = set.scores(of: predictions)
    #expect(scores.map(\.metric) == [.microF1, .macroF1, .subsetAccuracy])
    #expect(abs(scores[0].value - 0.75) < 1e-12 && scores[2].value == 0.5)
    #expect(abs(scores[1].value - (1 + 2.0 / 3 + 0) / 3) < 1e-12)
    let classes = try #require(set.classScores(of: predictions))
    #expect(classes.classes.map(\.counts.correct) == [2, 1, 0] && classes.confusion == nil)
    #expect(classes.classes.map(\.counts.support) == [2, 2, 0])
    #expect(
      try set.files(of: .labelSets([[0, 1], [0], [], [1]]))[0].text
        == "index\tprediction\n0\ta,b\n1\ta\n2\t\n3\tb\n")
  }
}
