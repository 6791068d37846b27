import Finetuning
import Foundation
import TestSupport
import Testing

/// `predict` with fine-tuned models, and models that `export` refuses.
@Suite(.serialized)
struct PredictTests {
  @Test
  func newTextIsAnsweredLineByLine() throws {
    let folder = try finetunedModels()
    func predict(_ from: String, _ text: String, _ more: [String] = []) throws -> [String] {
      let result = try Program.run(
        ["predict", "--from", from] + more, input: text, in: folder.path)
      #expect(result.status == 0, "\(from): \(result.errors)")
      return result.output.split(separator: "\n").map(String.init)
    }
    let labels = try predict("classification", "ba ko\tli mu\nne\tra\n")
    #expect(labels.count == 2)
    #expect(labels.allSatisfy { ["0", "1", "2"].contains($0.split(separator: "\t")[0]) })
    #expect(try predict("regression", "ba ko\tli mu\n").compactMap(Double.init).count == 1)
    let tags = try predict("tagging", "bako  li\nmu\n", ["--json"])
    #expect(tags.count == 2 && tags[0].contains("\"words\":[\"bako\",\"li\"]"))
    for model in ["span", "joint"] {
      for (threshold, isNone) in [("-1000", true), ("1000", false)] {
        let answers = try predict(
          model, "ba\tbako limu nera\nli\tsito\n", ["--json", "--null-threshold=\(threshold)"])
        #expect(answers.count == 2)
        #expect(answers.allSatisfy { $0.contains("\"answer\":\"\"") == isNone }, "\(answers)")
      }
    }
    let other = try Program.run(
      ["predict", "--from", "tagging", "--null-threshold", "1"], input: "ba\n", in: folder.path)
    #expect(other.status == 64 && other.errors.contains("questions without an answer"))
    let refused = try Program.run(
      ["predict", "--from", "classification"], input: "no pair\n", in: folder.path)
    #expect(refused.status == 64, "\(refused.errors)")
    #expect(refused.errors.contains("line 1: no tab; a line is a pair"), "\(refused.errors)")
    // A line without text has a prediction, too, so that output and input lines correspond.
    #expect(try predict("regression", "\t\r\nba\tko\n\t").count == 3)
    let blank = try predict("tagging", "bako\n\nmu\n", ["--json"])
    #expect(blank.count == 3 && blank[1].contains("\"words\":[]"), "\(blank)")
    let nothing = try Program.run(["predict", "--from", "tagging"], input: "\n", in: folder.path)
    #expect(nothing.errors.contains("no examples in standard input"), "\(nothing.errors)")
    try Data([0x62, 0x61, 0x0A, 0xFF, 0x0A]).write(
      to: URL(fileURLWithPath: folder.path + "/latin.txt"))
    let latin = try Program.run(["predict", "--from", "tagging", "latin.txt"], in: folder.path)
    #expect(latin.status == 65 && latin.errors.contains("latin.txt, line 2: not UTF-8"))
  }

  @Test
  func aThresholdThatIsNotANumberIsRefused() throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(
      ["predict", "--from", "span", "--null-threshold", "nan"], input: "ba\tli\n", in: folder.path)
    let isNamed = result.errors.contains("--null-threshold is not a number")
    #expect(result.status == 64 && isNamed, "\(result.errors)")
  }

  /// Writes small files of MNLI, and of GLUE's diagnostic set without and with labels.
  private func writeInference(_ folder: TemporaryFolder) throws {
    let lines = madeText(documents: 9).split(separator: "\n").map(String.init)
    let labels = ["entailment", "neutral", "contradiction"]
    func table(_ header: String, _ row: (Int) -> String) -> String {
      header + "\n" + (0..<24).map { row($0) + "\n" }.joined()
    }
    func answered(_ header: String) -> String {
      table(header) { "\(lines[$0])\t\(lines[$0 + 24])\t\(labels[$0 % 3])" }
    }
    for name in ["train.tsv", "dev_matched.tsv", "dev_mismatched.tsv"] {
      try folder.write(answered("sentence1\tsentence2\tgold_label"), name)
    }
    try folder.write(
      table("index\tsentence1\tsentence2") { "\(100 + $0)\t\(lines[$0])\t\(lines[$0 + 24])" },
      "diagnostic.tsv")
    try folder.write(answered("Premise\tHypothesis\tLabel"), "diagnostic-full.tsv")
  }

  /// A model of natural language inference predicts GLUE's diagnostic set.
  @Test
  func aModelOfMNLIAnswersTheDiagnosticSet() throws {
    let folder = try shortRun()
    try writeInference(folder)
    func run(_ arguments: [String], status: Int32 = 0) throws -> Program.Result {
      let result = try Program.run(arguments, in: folder.path)
      #expect(result.status == status, "\(arguments): \(result.errors)")
      return result
    }
    func answers(_ name: String) -> Data? {
      FileManager.default.contents(atPath: folder.path + "/" + name)
    }
    _ = try run([
      "finetune", "mnli", "--data", ".", "--from", "run", "--output", "model", "--epochs", "1",
    ])
    _ = try run(["predict", "--from", "model", "--test", "diagnostic.tsv", "--output", "again"])
    let file = try #require(answers("again/AX.tsv"))
    #expect(String(decoding: file, as: UTF8.self).hasPrefix("index\tprediction\n100\t"))
    #expect(file == answers("model/predictions/AX.tsv"))
    let full = try run([
      "predict", "--from", "model", "--task", "ax", "--dev", "diagnostic-full.tsv",
    ])
    #expect(full.output.hasPrefix("dev matthews "))
    let other = try run(
      ["predict", "--from", "model", "--task", "rte", "--dev", "train.tsv"], status: 64)
    #expect(other.errors.contains("a model of MNLI does not have the outputs of RTE"))
    let alone = try run(
      ["finetune", "ax", "--data", ".", "--from", "run", "--output", "ax"], status: 66)
    #expect(alone.errors.contains("predict --task"))
  }

  /// Models of `stsb` learn fifths, and a model of the user's own scores learns them as they are.
  @Test
  func theScaleOfScoresIsTheModels() throws {
    let folder = try finetunedModels()
    let rows = try folder.text("pairs.tsv").split(separator: "\n").dropFirst().prefix(9)
      .map { $0.split(separator: "\t").prefix(2).joined(separator: "\t") + "\n" }
    try folder.write("sentence1\tsentence2\n" + rows.joined(), "stsb.tsv")
    let model = ["predict", "--from", "regression"]
    let direct = try Program.run(model, input: rows.joined(), in: folder.path)
    let file = try Program.run(
      model + ["--task", "stsb", "--test", "stsb.tsv", "--output", "stsb"], in: folder.path)
    #expect(file.status == 0, "\(file.errors)")
    let scores = direct.output.split(separator: "\n").compactMap { Double($0) }
    let written = try folder.text("stsb/STS-B.tsv").split(separator: "\n").dropFirst()
      .compactMap { $0.split(separator: "\t").last.flatMap { Double($0) } }
    #expect(scores.count == 9 && written.count == 9)
    #expect(zip(scores, written).allSatisfy { abs(min(max($0, 0), 5) - $1) < 0.001 })
  }

  @Test
  func aVocabularyOfAnotherModelIsRefused() throws {
    let folder = try finetunedModels()
    let path = folder.path + "/tagging/seed-1/model/vocab.txt"
    try FileManager.default.removeItem(atPath: folder.path + "/tagging/seed-1/model/tokenizer.json")
    var tokens = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    tokens.swapAt(tokens.count - 1, tokens.count - 2)
    try (tokens.joined(separator: "\n") + "\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    for ranks in [nil, 2] {
      let result = try Program.run(
        ["predict", "--from", "tagging"], input: "ba\n", ranks: ranks, in: folder.path)
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("its vocabulary is not the one"), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
  }

  /// A description that was edited by hand, or that has another version.
  @Test
  func aDescriptionThatCannotBeIsRefused() throws {
    let folder = try finetunedModels()
    let path = folder.path + "/tagging/seed-1/model/task.json"
    let original = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new, says) in [
      ("\"format_version\" : 1", "\"format_version\" : 9", "its format is 9"),
      ("\"max_seq_length\" : ", "\"max_seq_length\" : 7", "is above the model's"),
      ("\"splits\" : [", "\"splits\" : [], \"others\" : [", "no splits"),
    ] {
      try #require(original.contains(old))
      try original.replacingOccurrences(of: old, with: new)
        .write(toFile: path, atomically: true, encoding: .utf8)
      let result = try Program.run(
        ["predict", "--from", "tagging"], input: "ba\n", in: folder.path)
      #expect(result.status == 65 && result.errors.contains(says), "\(result.errors)")
    }
  }

  /// The same scores and predictions as from `finetune`.
  @Test
  func aFileIsAnsweredAsWhileTraining() throws {
    let folder = try finetunedModels()
    for (model, file, answers) in [
      ("classification", "pairs.tsv", "dev_predictions.tsv"),
      ("tagging", "words.txt", "dev_predictions.txt"),
      ("joint", "questions.json", "dev_predictions.json"),
    ] {
      let result = try Program.run(
        ["predict", "--from", model, "--dev", file, "--output", "\(model)-answers"], ranks: 2,
        in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let predictions = FileManager.default.contents(
        atPath: "\(folder.path)/\(model)-answers/\(answers)")
      #expect(
        predictions != nil
          && predictions
            == FileManager.default.contents(
              atPath: "\(folder.path)/\(model)/predictions/\(answers)")
      )
      let again = try Program.run(
        ["predict", "--from", model, "--dev", file, "--output", "\(model)-answers"],
        in: folder.path)
      #expect(again.status == 73 && again.errors.contains(answers), "\(again.errors)")
      #expect(again.output.isEmpty, "it is refused before anything is answered")
    }
  }

  @Test
  func theReferencesHeadIsNotExported() throws {
    let folder = try finetunedModels()
    let result = try Program.run(
      ["export", "--from", "joint", "--output", "exported"], in: folder.path)
    #expect(result.status == 64 && result.errors.contains("--head transformers"))
    let part = try Program.run(
      ["export", "--from", "tagging", "--output", "exported", "--part", "generator"],
      in: folder.path)
    #expect(part.status == 64 && part.errors.contains("omit --part"), "\(part.errors)")
  }
}
