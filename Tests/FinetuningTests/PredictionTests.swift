import Finetuning
import Foundation
import Platform
import TestSupport
import Testing

/// Files of predictions, in the formats of the benchmarks.
struct PredictionTests {
  @Test
  func submissionsHaveTheNamesAndColumnsOfGLUE() throws {
    let pairs = "index\tsentence1\tsentence2\n7\ta\tb\n8\tc\td\n"
    let folder = try TemporaryFolder()
    var names: [String] = []
    for name in ["mnli", "rte", "stsb", "wnli", "ax"] {
      let task = try Task.named(name)
      let labels = task.problem == .regression ? nil : LabelSet(task.labels)
      for split in task.splits where split.role == .test {
        let path = try folder.write(pairs, split.files[0].replacing("../", with: ""))
        let reader = try ExampleReader(task, tokenizer: smallTokenizer())
        let set = try reader.read(TaskFile(split: split, path: path), labels: labels)
        let predictions: Predictions = labels == nil ? .scores([5.3, 1.23456]) : .labels([1, 0])
        let file = try set.files(of: predictions)[0]
        names.append(file.name)
        let rows = labels.map { ($0.names[1], $0.names[0]) } ?? ("5.000", "1.235")
        #expect(file.text == "index\tprediction\n7\t\(rows.0)\n8\t\(rows.1)\n")
      }
    }
    #expect(
      names == [
        "MNLI-m.tsv", "MNLI-mm.tsv", "AX.tsv", "RTE.tsv", "STS-B.tsv", "WNLI.tsv", "AX.tsv",
      ])
  }

  @Test
  func theHighestOutputIsTheLabel() throws {
    let set = try read(try .named("sst2"), .development, "sentence\tlabel\na\t1\nb\t0\nc\t1\n")
    let predictions = set.predictions(outputs: [[0, 1], [0.5, 0.5], [-1, -2]])
    #expect(predictions == .labels([1, 0, 0]))
    #expect(set.scores(of: predictions) == [Score(.accuracy, 2.0 / 3)])
    #expect(try set.files(of: predictions)[0].name == "dev_predictions.tsv")
  }

  @Test
  func filesAreNotOverwrittenUnasked() throws {
    let folder = try TemporaryFolder()
    let set = try read(try .named("sst2"), .development, "sentence\tlabel\na\t1\n")
    #expect(try set.write(.labels([1]), to: folder.path) == ["dev_predictions.tsv"])
    let path = folder.file("dev_predictions.tsv")
    #expect(throws: FileError.exists(path: path)) {
      try set.write(.labels([0]), to: folder.path)
    }
    _ = try set.write(.labels([0]), to: folder.path, replacing: true)
    #expect(try folder.text("dev_predictions.tsv") == "index\tprediction\n0\t0\n")
    #expect(
      sentence { _ = try set.write(.labels([0]), to: folder.file("none")) }.contains("cannot write")
    )
  }

  /// Words of JSON may be empty, or be line breaks.
  @Test
  func everyWordHasOneLine() throws {
    let task = Task.custom(.tagging, .words(WordColumns()))
    let set = try read(
      task, .test, #"{"tokens": ["the", "\n", ""]}"#, as: "x.jsonl",
      labels: LabelSet(["O", "B-X"]))
    #expect(
      try set.files(of: .tags([["B-X", "O", "O"]]))[0].text == "the\tB-X\n \tO\n\tO\n\n")
  }

  @Test
  func answersAreJSONByTheirIdentifier() throws {
    let text =
      #"{"data": [{"paragraphs": [{"context": "the \"cat\"", "qas": [{"id": "é/1", "question": "?"}]}]}]}"#
    let set = try read(try .named("squad1"), .test, text)
    let span = SpanAnswer(identifier: "é/1", text: "\"cat\"", bestText: "", nullOdds: .infinity)
    let file = try set.files(of: .spans([span]))
    #expect(file.map(\.name) == ["test_predictions.json"])
    let decoded = try JSONDecoder().decode([String: String].self, from: Data(file[0].text.utf8))
    #expect(decoded == ["é/1": "\"cat\""])
  }
}
