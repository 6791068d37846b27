import Foundation
import TestSupport
import Testing

/// Typical files of users: CoNLL-U, empty labels, scores of any size, rows to predict.
@Suite(.serialized)
struct OwnFilesTests {
  private func finetune(
    _ folder: TemporaryFolder, _ problem: String, _ file: String, _ options: [String] = []
  ) throws -> Program.Result {
    try Program.run(
      [
        "finetune", "own", "--problem", problem, "--train", file, "--dev", file, "--from", "run",
        "--output", "model",
      ] + options, in: folder.path)
  }

  @Test
  func yearsAreLearntAndWrittenWithAllDigits() throws {
    let folder = try shortRun()
    let years = (0..<1200).map { $0 % 2 == 0 ? 1890 + $0 % 7 : 1990 + $0 % 7 }
    let rows = years.enumerated().map { row, year in
      "\(row % 2 == 0 ? "ba ko li" : "mu ne ra") \(["si", "to", "vu", "ze"][row % 4])\t\(year)\n"
    }
    try folder.write("text\tlabel\n" + rows.joined(), "years.tsv")
    let result = try finetune(
      folder, "regression", "years.tsv", ["--epochs", "1", "--batch", "16"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("targets: scaled by mean"), "\(result.errors)")
    let lines = try folder.text("model/predictions/dev_predictions.tsv").split(separator: "\n")
    let scores = lines.dropFirst().compactMap {
      $0.split(separator: "\t").last.flatMap { Float($0) }
    }
    #expect(scores.count == 1200)
    let error = zip(scores, years).reduce(0) { $0 + abs($1.0 - Float($1.1)) } / 1200
    #expect(error < 25, "the mean alone is 50 years away from each: \(error)")
    // The program itself reads the exported model, which has no scale.
    let texts = rows.map { $0.split(separator: "\t")[0] + "\n" }.joined()
    let answers = try Program.run(["predict", "--from", "model"], input: texts, in: folder.path)
    #expect(answers.output.split(separator: "\n").compactMap { Float($0) } == scores)
    let task = try folder.text("model/seed-1/model/task.json")
    #expect(!task.contains("scale\" : 5") && !task.contains("target_scale"))
  }

  @Test
  func conlluIsReadAsSuch() throws {
    let folder = try shortRun()
    let text = (0..<40).map { number in
      "# sent_id = \(number)\n1-2\tbako\(String(repeating: "\t_", count: 8))\n"
        + [("ba", "DET"), ("ko", "NOUN"), ("li", "VERB")].enumerated().map { index, word in
          "\(index + 1)\t\(word.0)\t_\t\(word.1)" + String(repeating: "\t_", count: 6) + "\n"
        }.joined() + "\n"
    }.joined()
    try folder.write(text, "train.conllu")
    for columns in [["--text", "1", "--label", "3"], ["--text", "FORM", "--label", "UPOS"], []] {
      try? FileManager.default.removeItem(atPath: folder.file("model"))
      let result = try finetune(folder, "tagging", "train.conllu", columns + ["--epochs", "1"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("3 labels: DET, NOUN, VERB"), "\(result.errors)")
      let answers = try folder.text("model/predictions/dev_predictions.txt")
      #expect(answers.split(separator: "\n").count == 120 && answers.hasPrefix("ba DET "))
    }
    let result = try Program.run(
      ["predict", "--from", "model", "train.conllu", "--json"], in: folder.path)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 40 && lines[0].contains("\"words\":[\"ba\",\"ko\",\"li\"]"))
    let other = try finetune(folder, "tagging", "train.conllu", ["--label", "POS"])
    #expect(other.status == 64 && other.errors.contains("--label POS"), "\(other.errors)")
  }

  @Test
  func emptyLabelsStopOrAreSkippedAndRowsAreAnswered() throws {
    let folder = try shortRun()
    let rows = (0..<40).map { "\($0)\tba ko li\t\($0 % 2 == 0 ? "pos" : "neg")\n" }
    let table = "id\ttext\tlabel\n" + rows[..<5].joined() + "5\tmu ne\t\n" + rows[5...].joined()
    try folder.write(table, "rows.tsv")
    let refused = try finetune(folder, "classification", "rows.tsv")
    #expect(refused.status == 65, "\(refused.errors)")
    #expect(refused.errors.contains("rows.tsv, line 7: the label is empty"), "\(refused.errors)")
    let skip = ["--empty-labels", "skip"]
    let result = try finetune(folder, "classification", "rows.tsv", skip + ["--epochs", "1"])
    #expect(result.status == 0 && result.errors.contains("2 labels: neg, pos"), "\(result.errors)")
    #expect(
      result.errors.contains("left out 1 example of rows.tsv with an empty label"),
      "\(result.errors)")
    try folder.write("{\"text\": \"ba ko\"}\n{\"text\": \"li mu\", \"id\": 3}\n", "rows.jsonl")
    try folder.write("{\"text\": \"ba ko\"}\n", "one.jsonl")
    try folder.pack("one.jsonl", with: "gzip")
    for (arguments, input, count) in [
      (["rows.jsonl"], "", 2), (["rows.tsv"], "", 41), ([], table, 41), (["one.jsonl.gz"], "", 1),
      ([], "ba ko\nli mu\n\n", 3), (["-"], "ba ko\n", 1),
    ] {
      let answers = try Program.run(
        ["predict", "--from", "model"] + arguments, input: input, in: folder.path)
      #expect(answers.status == 0, "\(arguments): \(answers.errors)")
      #expect(answers.output.split(separator: "\n").count == count, "\(arguments)")
    }
    for (options, status) in [([], 65), (skip, 0)] as [([String], Int32)] {
      let measured = try Program.run(
        ["predict", "--from", "model", "--dev", "rows.tsv"] + options, in: folder.path)
      #expect(measured.status == status, "\(measured.errors)")
      let isCounted = measured.errors.contains("note: left out 1 example of rows.tsv")
      #expect(isCounted == (status == 0), "\(measured.errors)")
    }
    // The second of two ranks has no such file and no standard input.
    let ranks = try Program.run(
      ["predict", "--from", "model", "rows.jsonl"], ranks: 2, in: folder.path)
    #expect(ranks.status == 0 && ranks.output.split(separator: "\n").count == 2)
  }
}
