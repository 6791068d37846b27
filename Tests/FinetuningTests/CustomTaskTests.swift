import Finetuning
import Testing

/// Tasks that are defined by their columns.
struct CustomTaskTests {
  private let reviews = Task.custom(
    .classification, .table(Columns(first: Column("text"), label: Column("stars"))))

  @Test
  func jsonLinesAreRowsAndLabelsAreInferred() throws {
    let text = """
      {"text": "the cat", "stars": 10, "more": {"x": [1, null]}}

      {"stars": 2, "text": "on \\"the\\" mat"}
      {"text": "sat", "stars": 2}
      """
    let set = try read(reviews, .training, text, as: "reviews.jsonl")
    #expect(set.labels.names == ["2", "10"])
    #expect(set.examples.map(\.target) == [.label(1), .label(0), .label(0)])
  }

  @Test(arguments: [
    ("{\"text\": \"a\", \"stars\": 1}\n{\"text\": \"a\"}", "line 2: the field \"stars\" is absent"),
    ("{\"text\": [1], \"stars\": 1}", "line 1: the field \"text\" is absent or is not a text"),
    ("{\"text\": \"a\", \"stars\": 1}\n{\"text\"", "line 2: not a JSON object"),
    ("[1]", "line 1: not a JSON object"),
  ])
  func badJSONLinesAreNamed(text: String, message: String) throws {
    let error = sentence { _ = try read(reviews, .training, text, as: "x.jsonl") }
    #expect(error.contains(message), "\(error)")
  }

  @Test
  func tablesAreReadWithAndWithoutHeader() throws {
    let named = try read(reviews, .training, "stars\ttext\ngood\tthe cat\nbad\ton\n")
    #expect(named.labels.names == ["bad", "good"])
    let placed = Task.custom(
      .classification, .table(Columns(first: Column("1"), second: Column("2"), label: Column("0"))))
    let set = try read(placed, .training, "x\ta\tb\ny\tc\td\n")
    #expect(set.labels.names == ["x", "y"] && set.examples[1].segmentIDs == [0, 0, 0, 1, 1])
  }

  @Test
  func aTestFileNeedsNoLabels() throws {
    let set = try read(
      reviews, .test, "text\nthe cat\n", labels: LabelSet(["bad", "good"]))
    #expect(set.examples.map(\.target) == [.none] && !set.isLabelled)
    #expect(set.scores(of: .labels([1])).isEmpty)
    #expect(try set.files(of: .labels([1]))[0].text == "index\tprediction\n0\tgood\n")
    let error = sentence { _ = try read(reviews, .development, "text\nthe cat\n") }
    #expect(error.contains("no column stars"))
  }

  @Test
  func numbersAreLearntAsTheyStand() throws {
    let columns = Columns(first: Column("text"), label: Column("age"))
    let task = Task.custom(.regression, .table(columns))
    let set = try read(task, .training, "text\tage\na\t-3e1\nb\t7\n")
    #expect(set.examples.map(\.target) == [.score(-30), .score(7)])
    #expect(set.predictions(outputs: [[1], [2.5]]) == .scores([1, 2.5]))
    // Two pairs always have a correlation of 1, up to rounding.
    let scores = set.scores(of: .scores([1, 2.5]))
    #expect(!scores.isEmpty && scores.allSatisfy { abs($0.value - 1) < 1e-12 })
  }

  @Test
  func aLabelThatIsNullIsNone() throws {
    let task = Task.custom(
      .classification, .table(Columns(first: .named("text"), label: .named("label"))))
    let labels = LabelSet(["no", "yes"])
    let set = try read(
      task, .test, "{\"text\": \"the cat\", \"label\": null}", as: "x.jsonl", labels: labels)
    #expect(!set.isLabelled && set.examples.map(\.target) == [.none])
    let error = sentence {
      _ = try read(task, .development, "{\"text\": \"a\", \"label\": null}", as: "x.jsonl")
    }
    #expect(error.contains("label"))
  }

  @Test
  func tagsComeInJSONLinesToo() throws {
    let task = Task.custom(.tagging, .words(WordColumns(tagField: "pos")))
    let text = """
      {"tokens": ["the", "cat"], "pos": ["DET", "NOUN"]}
      {"tokens": [], "pos": []}
      {"tokens": ["sat"], "pos": ["VERB"]}
      """
    let set = try read(task, .training, text, as: "x.jsonl")
    #expect(set.labels.names == ["DET", "NOUN", "VERB"] && set.metrics == [.accuracy])
    #expect(set.examples.map(\.target) == [.tags([-1, 0, 1, -1]), .tags([-1, 2, -1])])
    let error = sentence {
      _ = try read(task, .training, "{\"tokens\": [\"a\"], \"pos\": []}", as: "x.jsonl")
    }
    #expect(error.contains("a list of 1 texts"))
  }
}
