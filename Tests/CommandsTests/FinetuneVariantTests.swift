import Foundation
import TestSupport
import Testing

/// `finetune` with several labels, class weights and folds, as a user runs it.
@Suite(.serialized)
struct FinetuneVariantTests {
  private static let options = ["--from", "run", "--epochs", "2", "--slices", "8"]
  private static let variants = [
    "weights": ["--train", "train.tsv", "--dev", "dev.tsv", "--class-weights", "balanced"],
    "tags": [
      "--problem", "tagging", "--train", "train.txt", "--dev", "dev.txt", "--class-weights",
      "B-x=3",
    ],
    "multilabel": ["--problem", "multilabel", "--train", "several.csv", "--dev", "several.csv"],
    "folds": ["--train", "dev.tsv", "--folds", "3"],
  ]

  /// `finetuningFiles` with `several.csv`: a text has the labels of the syllables in it.
  private func files() throws -> TemporaryFolder {
    let folder = try finetuningFiles()
    let lines = madeText(documents: 40).split(separator: "\n").prefix(300)
    let rows = lines.map { line in
      "\"\(line)\",\"\(["ba", "ko", "vu"].filter { line.contains($0) }.joined(separator: ","))\"\n"
    }
    try folder.write("text,label\n" + rows.joined(), "several.csv")
    return folder
  }

  /// All files that a fine-tuning leaves, without logs and times.
  private func outcome(_ folder: TemporaryFolder, _ run: String) throws -> [String: Data] {
    let root = "\(folder.path)/\(run)"
    let names = try FileManager.default.subpathsOfDirectory(atPath: root).filter { name in
      ["results.json", "result.json", "model.safetensors"].contains { name.hasSuffix($0) }
        || name.hasPrefix("predictions/")
    }
    return names.reduce(into: [:]) { files, name in
      files[name] = FileManager.default.contents(atPath: "\(root)/\(name)")
    }
  }

  @Test(arguments: variants.keys.sorted())
  func neitherRanksNorWorkersNorStopsChangeAByte(variant: String) throws {
    let folder = try files()
    func run(_ name: String, ranks: Int?, workers: Int, _ more: [String] = []) throws -> Int32 {
      let result = try Program.run(
        ["finetune", "own", "--output", name, "--threads", "\(workers)"] + Self.options
          + (Self.variants[variant] ?? []) + more, ranks: ranks, in: folder.path)
      #expect([0, 75].contains(result.status), "\(name): \(result.errors)")
      return result.status
    }
    #expect(try run("whole", ranks: nil, workers: 1) == 0)
    let whole = try outcome(folder, "whole")
    #expect(whole.count >= (variant == "folds" ? 9 : 5), "\(whole.keys)")
    #expect(try run("ranks", ranks: 2, workers: 2) == 0)
    #expect(try outcome(folder, "ranks") == whole)
    // Stopped after every step and resumed on other numbers of ranks and workers.
    var starts = 0
    while try run(
      "parts", ranks: starts % 2 == 0 ? nil : 2, workers: 1 + starts % 2, ["--hours", "0"]) == 75,
      starts < 60
    { starts += 1 }
    #expect(starts > 5)
    #expect(try outcome(folder, "parts") == whole)
  }

  private struct Results: Decodable {
    let seeds: [Fold]
    let classes: [Scores]
    struct Fold: Decodable {
      let fold: Int
      let values: [Double]
    }
    struct Scores: Decodable {
      let split: String
      let classes: [Class]
      let confusion: [String: [String: Int]]
    }
    struct Class: Decodable {
      let name: String
      let support: Int
    }
  }

  /// Every example is predicted once, by a model that has not seen it, in the order of the file.
  @Test
  func foldsPredictEveryExampleOnce() throws {
    let folder = try finetuningFiles()
    let result = try Program.run(
      [
        "finetune", "own", "--train", "train.tsv", "--test", "dev.tsv", "--folds", "4", "--output",
        "out", "--from", "run", "--epochs", "20", "--learning-rate", "2e-3", "--layer-decay", "1",
      ], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("out_of_fold accuracy") && result.output.contains("by fold"))
    #expect(result.errors.contains("over 4 folds"), "\(result.errors)")
    let data = Data(try folder.text("out/results.json").utf8)
    let results = try JSONDecoder().decode(Results.self, from: data)
    #expect(results.seeds.map(\.fold) == [1, 2, 3, 4])
    let gold = try folder.text("train.tsv").split(separator: "\n").dropFirst()
      .map { $0.split(separator: "\t")[1] }
    #expect(
      results.classes[0].classes.map(\.support)
        == ["no", "yes"].map { name in
          gold.count { $0 == name }
        })
    let lines = try folder.text("out/predictions/out_of_fold_predictions.tsv")
      .split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
    #expect(lines.map { String($0[0]) } == (0..<300).map { String($0) })
    let correct = zip(lines, gold).count { $0[1] == $1 }
    // The more frequent label alone would give 171.
    #expect(correct > 195, "\(correct)")
    let diagonal = ["no", "yes"].map { results.classes[0].confusion[$0]?[$0] ?? 0 }
    #expect(diagonal.reduce(0, +) == correct)
    // The folds have 75 examples each, so the mean of their accuracies is that of all examples.
    let mean = results.seeds.reduce(0) { $0 + $1.values[0] } / 4
    #expect(abs(mean - Double(correct) / 300) < 1e-12)
    for model in ["out", "out/fold-3"] {
      let answers = try Program.run(
        ["predict", "--from", model], input: "ba ko\n", in: folder.path)
      #expect(answers.status == 0, "\(answers.errors)")
    }
    let test = try folder.text("out/predictions/test_predictions.tsv")
    #expect(test.split(separator: "\n").count == 181)
  }

  /// Labels that follow from the text are learned, and printed with a probability each.
  @Test
  func severalLabelsAreLearnedAndPredicted() throws {
    let folder = try files()
    let result = try Program.run(
      [
        "finetune", "own", "--problem", "multilabel", "--train", "several.csv", "--dev",
        "several.csv", "--from", "run", "--output", "out", "--epochs", "10",
      ], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("dev micro f1") && result.output.contains("subset accuracy"))
    let text = "ba ba ba ba\nli li\n"
    let lines = try Program.run(["predict", "--from", "out"], input: text, in: folder.path).output
      .split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    #expect(lines.count == 2 && lines.allSatisfy { $0.count == 2 }, "\(lines)")
    let json = try Program.run(
      ["predict", "--from", "out", "--json"], input: text, in: folder.path
    ).output.split(separator: "\n")
    #expect(json.count == 2)
    for line in json {
      #expect(line.hasPrefix("{\"labels\":[") && line.contains("\"probabilities\":{\"ba\":"))
    }
  }
}
