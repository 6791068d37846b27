import Finetuning
import TestSupport
import Testing

/// Empty labels, scores and tags: rejected with the line, or skipped and counted.
struct EmptyLabelTests {
  private static let sentiment = Task.custom(
    .classification, .table(Columns(first: .named("text"), label: .named("label"))))
  private static let years = Task.custom(
    .regression, .table(Columns(first: .named("text"), label: .named("label"))))
  private static let tags = Task.custom(.tagging, .words(WordColumns()))

  private func skipping(
    _ task: Task, _ role: SplitRole, _ text: String, as name: String
  ) throws -> ExampleSet {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, name)
    let reader = try ExampleReader(task, tokenizer: smallTokenizer(), emptyLabels: .skip)
    return try reader.read(task.file(role, at: path))
  }

  /// Each file has an example without a label in line 3.
  private static let files: [(Task, String, String)] = [
    (sentiment, "text\tlabel\nthe\tpos\ncat\t\nmat\tneg\n", "x.tsv"),
    (sentiment, "text\tlabel\nthe\tpos\ncat\t \r\nmat\tneg\n", "x.tsv"),
    (years, "label\ttext\n1990\tthe\n\tcat\n1891\tmat\n", "x.tsv"),
    (
      sentiment,
      "\n{\"text\": \"the\", \"label\": 1}\n{\"text\": \"cat\", \"label\": \"\"}\n"
        + "{\"text\": \"mat\", \"label\": 2}\n", "x.jsonl"
    ), (tags, "the\tA\n\ncat\t\n\nmat\tB\n", "x.txt"),
    (
      tags,
      "{\"tokens\": [\"the\"], \"tags\": [\"A\"]}\n\n{\"tokens\": [\"cat\"], \"tags\": [\"\"]}\n"
        + "{\"tokens\": [\"mat\"], \"tags\": [\"B\"]}\n", "x.jsonl"
    ),
  ]

  @Test(arguments: files.indices)
  func theLineOfAnEmptyLabelIsNamed(file: Int) throws {
    let (task, text, name) = Self.files[file]
    for role in [SplitRole.training, .development] {
      let error = sentence { _ = try read(task, role, text, as: name) }
      #expect(error.contains("line 3: the label is empty"), "\(error)")
      #expect(error.contains("--empty-labels skip"), "\(error)")
    }
  }

  @Test(arguments: files.indices)
  func theExampleIsLeftOutAndCountedOnRequest(file: Int) throws {
    let (task, text, name) = Self.files[file]
    let set = try skipping(task, .training, text, as: name)
    #expect(set.examples.count == 2 && set.labels.count != 3)
    #expect(set.notes.emptyLabels == [3])
    #expect(
      set.notes.sentences(path: "p")[0]
        == "left out 1 example of p with an empty label, the first on line 3")
  }

  /// An editor that strips trailing white space removes the last tab of such a row.
  @Test
  func aRowThatLacksOnlyItsLabelIsLeftOutToo() throws {
    let text = "text\tlabel\nthe\tpos\ncat\nmat\tneg\n"
    #expect(
      sentence { _ = try read(Self.sentiment, .training, text) }.contains("line 3: 1 columns"))
    let set = try skipping(Self.sentiment, .development, text, as: "x.tsv")
    #expect(set.notes.emptyLabels == [3])
    // Predictions keep the numbers of their rows.
    #expect(try set.files(of: .labels([1, 0]))[0].text == "index\tprediction\n0\tpos\n2\tneg\n")
    let absent = sentence {
      _ = try skipping(Self.sentiment, .training, "text\nthe\n", as: "x.tsv")
    }
    #expect(absent.contains("no column label"), "\(absent)")
  }

  @Test
  func aTestFileIsAnsweredWithoutThem() throws {
    let labels = LabelSet(["neg", "pos"])
    for (text, notes) in [("the\t\ncat\t\n", 0), ("the\tpos\ncat\t\n", 1)] {
      let set = try read(Self.sentiment, .test, "text\tlabel\n" + text, labels: labels)
      #expect(set.examples.count == 2 && !set.isLabelled)
      #expect(set.notes.sentences(path: "p").count == notes)
    }
    let words = try read(Self.tags, .test, "the\tA\n\ncat\t\n", labels: LabelSet(["A", "B"]))
    #expect(words.examples.count == 2 && !words.isLabelled && words.notes.unlabelled == 1)
  }

  @Test
  func scoresThatAreEqualButWrittenOtherwiseAreOneClass() {
    let error = sentence { _ = try read(Self.years, .training, "text\tlabel\na\t1\nb\t1.0\n") }
    #expect(error.contains("every example"), "\(error)")
  }
}
