import Finetuning
import TestSupport
import Testing

/// Text for prediction: files in the task's format are recognised; any other file is a text per
/// line.
struct NewTextTests {
  private static let review = Task.custom(
    .classification, .table(Columns(first: .named("body"), label: .named("stars"))))
  private static let placed = Task.custom(
    .classification, .table(Columns(first: .number(1), label: .number(0))))
  private static let pair = Task.custom(
    .regression,
    .table(Columns(first: .named("a"), second: .named("b"), label: .named("score"))))

  /// The sequences of new text, as tokens.
  private func sequences(_ task: Task, _ text: String, _ name: String) throws -> [String] {
    let file = try NewText(task, Array(text.utf8), from: name).taskFile()
    let tokenizer = try smallTokenizer()
    let reader = try ExampleReader(task, tokenizer: tokenizer)
    return try reader.read(file, labels: LabelSet(["x", "y"])).examples.map {
      tokenizer.tokens($0.tokens).replacing("[CLS] ", with: "").replacing(" [SEP]", with: " |")
    }
  }

  @Test(arguments: [
    // JSON lines, recognised by name or by content, with the task's fields or the default ones.
    (review, "{\"body\": \"the cat\"}\n{\"stars\": null, \"body\": \"mat\"}\n", "x.jsonl"),
    (review, "{\"text\": \"the cat\"}\n{\"text\": \"mat\"}\n", "standard input"),
    (placed, "{\"text\": \"the cat\"}\n\n{\"text\": \"mat\"}", "x.JSONL"),
    // Tables: the header and other columns are not predicted.
    (review, "stars\tbody\nx\tthe cat\n\tmat\n", "x.tsv"),
    (review, "stars\tbody\nx\tthe cat\ny\tmat\n", "standard input"),
    (review, "body\nthe cat\nmat\n", "x.tsv"), (placed, "x\tthe cat\n\tmat\n", "x.tsv"),
    // Plain text.
    (review, "the cat\nmat\n", "x.txt"), (review, "the cat\r\nmat", "standard input"),
    (placed, "the cat\nmat\n", "x.txt"),
  ])
  func textsAreFoundInEveryForm(task: Task, text: String, name: String) throws {
    #expect(try sequences(task, text, name) == ["the cat |", "mat |"])
  }

  @Test(arguments: [
    ("{\"b\": \"mat\", \"a\": \"the cat\"}\n", "x.txt"), ("a\tb\nthe cat\tmat\n", "x.txt"),
    ("score\tb\tx\ta\n1\tmat\t\tthe cat\n", "x.tsv"), ("the cat\tmat\n", "x.tsv"),
    ("the cat\tmat\n", "standard input"),
  ])
  func pairsAreFoundInEveryForm(text: String, name: String) throws {
    #expect(try sequences(Self.pair, text, name) == ["the cat | mat |"])
  }

  /// One text by its name in the header, the other by its index.
  @Test(arguments: ["a,score,x\nthe cat,1,mat\n", "a\tscore\tx\nthe cat\t1\tmat\n"])
  func namesAndIndicesMayBeMixed(text: String) throws {
    let task = Task.custom(
      .regression,
      .table(Columns(first: .named("a"), second: .number(2), label: .named("score"))))
    let name = text.contains(",") ? "x.csv" : "x.tsv"
    #expect(try sequences(task, text, name) == ["the cat | mat |"])
  }

  @Test
  func plainTextStaysPlainText() throws {
    // A line that equals the column's name, one that looks like JSON, one with a tab.
    #expect(try sequences(Self.review, "body\nmat\n", "x.txt") == ["b ##o ##d ##y |", "mat |"])
    #expect(try sequences(Self.review, "{ the cat\n", "x.txt").count == 1)
    #expect(
      try sequences(Self.review, "the\tcat\n\nmat\n", "x.txt") == ["the cat |", "[SEP]", "mat |"])
  }

  @Test
  func gluesTablesAreReadByTheSplitThatIsCalledSo() throws {
    let cola = try Task.named("cola")
    #expect(try sequences(cola, "g\t1\t\tthe cat\n", "dev.tsv") == ["the cat |"])
    #expect(try sequences(cola, "index\tsentence\n0\tthe cat\n", "test.tsv") == ["the cat |"])
    let sst2 = try Task.named("sst2")
    #expect(try sequences(sst2, "sentence\tlabel\nthe cat\t1\n", "dev.tsv") == ["the cat |"])
  }

  @Test(arguments: [
    (review, "{\"title\": \"a\"}\n", "x.jsonl", "line 1: the field \"body\" is absent"),
    (review, "text\tlabel\na\tx\n", "x.tsv", "no column body; its columns are text, label"),
    (review, "text,label\na,x\n", "x.csv", "no column body"),
    (pair, "a,c\nx,y\n", "x.csv", "no column b; its columns are a, c"),
    (pair, "the cat\n", "standard input", "standard input, line 1: no tab; a line is a pair"),
    (pair, "the cat\tmat\nmat\n", "x.txt", "x.txt, line 2: no tab"),
  ])
  func whatIsNotFoundIsNamed(task: Task, text: String, name: String, message: String) throws {
    let error = sentence { _ = try sequences(task, text, name) }
    #expect(error.contains(message), "\(error)")
  }

  @Test
  func wordsComeAsSentencesJSONOrCoNLL() throws {
    let conllu =
      "# text = the cat\n1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_\n"
      + ["the", "cat"].enumerated().map { "\($0 + 1)\t\($1)" + String(repeating: "\t_", count: 8) }
      .joined(separator: "\n")
    let task = Task.custom(.tagging, .words(WordColumns(wordField: "form", tagField: "pos")))
    for (text, name) in [
      ("the cat\n", "x.txt"), ("the cat\n", "x.csv"), ("{\"form\": [\"the\", \"cat\"]}\n", "x.txt"),
      ("the O\ncat O\n", "x.conll"), ("the\ncat\n", "x.conll"), (conllu, "standard input"),
    ] {
      #expect(try sequences(task, text, name) == ["the cat |"], "\(text)")
    }
    let placed = Task.custom(
      .tagging, .words(WordColumns(word: 1, tag: 3, wordField: "1", tagField: "3")))
    #expect(try sequences(placed, "{\"tokens\": [\"the\", \"cat\"]}", "x.jsonl") == ["the cat |"])
  }

  @Test
  func questionsComeAsLinesOrSQuADsJSON() throws {
    let squad = try Task.named("squad2")
    let json =
      "{\"data\": [{\"paragraphs\": [{\"context\": \"mat\", \"qas\": [{\"id\": \"1\", "
      + "\"question\": \"the cat\"}]}]}]}"
    for (text, name) in [
      ("the cat\tmat\n", "x.txt"), (json, "x.json"), (json, "standard input"),
      (json.replacing("{\"data", with: "{\n \"data"), "standard input"),
    ] {
      #expect(try sequences(squad, text, name) == ["the cat | mat |"], "\(text)")
    }
    let error = sentence { _ = try sequences(squad, "the cat\n", "x.txt") }
    #expect(error.contains("x.txt, line 1: no tab; a line is a question"), "\(error)")
  }
}
