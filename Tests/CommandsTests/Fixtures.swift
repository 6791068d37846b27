import Electra
import Foundation
import Layers
import Synchronization
import TestSupport
import Testing

/// Folders that many tests start from, created once per process and copied for every test.
enum Fixtures {
  /// One folder; nil until the first test has created it.
  private final class Fixture: Sendable {
    let folder = Mutex<TemporaryFolder?>(nil)
  }

  /// The fixtures by name.
  ///
  /// An exit handler removes them, because deinitialisers of globals do not run.
  private static let all: Mutex<[String: Fixture]> = {
    atexit { Fixtures.all.withLock { $0.removeAll() } }
    return Mutex([:])
  }()

  /// A copy of the folder `name`.
  ///
  /// If another test is creating the folder, this one waits. A failure is not cached, so every test
  /// that needs the folder fails with the reason.
  static func copy(
    of name: String, make: () throws -> TemporaryFolder
  ) throws -> TemporaryFolder {
    let fixture = all.withLock { all in
      let fixture = all[name] ?? Fixture()
      all[name] = fixture
      return fixture
    }
    return try fixture.folder.withLock { folder in
      let original = try folder ?? make()
      folder = original
      return try TemporaryFolder(copying: original)
    }
  }
}

/// Runs the program once per list of arguments; every run must succeed.
func runAll(_ commands: [[String]], in folder: TemporaryFolder) throws {
  for command in commands {
    let result = try Program.run(command, in: folder.path)
    try #require(result.status == 0, "\(command): \(result.errors)")
  }
}

/// Generated text that can be learned: a small lexicon in which a word usually determines the next.
func madeText(documents: Int) -> String {
  let syllables = ["ba", "ko", "li", "mu", "ne", "ra", "si", "to", "vu", "ze"]
  var state: UInt64 = 42
  func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
  let lexicon = (0..<200).map { _ in (0...next(3) + 1).map { _ in syllables[next(10)] }.joined() }
  return (0..<documents).map { _ in
    (0..<8).map { _ in
      var word = next(200)
      return (0..<6 + next(8)).map { _ in
        word = next(10) < 8 ? (word * 7 + 3) % 200 : next(200)
        return lexicon[word]
      }.joined(separator: " ") + "."
    }.joined(separator: "\n")
  }.joined(separator: "\n\n") + "\n"
}

/// Options of `pretrain` for ELECTRA on generated text, at seven times the speed of `tiny`.
///
/// Every folder with generated text has the file.
let smallModel = ["--config", "small.json"]

/// Writes the configuration of `smallModel`: 2 layers 32 wide, and a generator half as large.
private func writeSmallModel(_ folder: TemporaryFolder, length: Int = 32) throws {
  func sizes(_ width: Int, layers: Int) -> EncoderSizes {
    EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: 2, intermediateSize: 4 * width)
  }
  var configuration = Preset.tiny.configuration(vocabularySize: 300)
  configuration.model = ElectraSizes(
    vocabularySize: 300, embeddingSize: 32, positionCount: 512, generator: sizes(16, layers: 1),
    discriminator: sizes(32, layers: 2))
  configuration.recipe.length = length
  try folder.write(
    String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self), "small.json")
}

/// A folder with generated text in `text.txt`, its vocabulary, and its shards in `data`.
func preparedData(documents: Int = 400, length: Int = 32) throws -> TemporaryFolder {
  try Fixtures.copy(of: "data of \(documents) documents, length \(length)") {
    let folder = try TemporaryFolder()
    try folder.write(madeText(documents: documents), "text.txt")
    try writeSmallModel(folder, length: length)
    try runAll(
      [
        ["vocabulary", "text.txt", "--size", "300", "--output", "vocab.txt"],
        [
          "prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "data", "--length",
          "\(length)", "--held-out", "0.1",
        ],
      ], in: folder)
    return folder
  }
}

/// The folder of `preparedData` and a run of five steps in `run`.
func shortRun(documents: Int = 100) throws -> TemporaryFolder {
  try Fixtures.copy(of: "run on \(documents) documents") {
    let folder = try preparedData(documents: documents)
    try runAll(
      [
        ["pretrain", "--data", "data", "--output", "run", "--batch", "8", "--steps", "5"]
          + smallModel
      ], in: folder)
    return folder
  }
}

/// A folder with text, data, a short run, and its exported discriminator and generator.
func exportedModels() throws -> TemporaryFolder {
  try Fixtures.copy(of: "exported models") {
    let folder = try TemporaryFolder()
    try folder.write(madeText(documents: 200), "text.txt")
    try writeSmallModel(folder)
    try runAll(
      [
        ["vocabulary", "text.txt", "--size", "300", "--output", "vocab.txt"],
        ["prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "data", "--length", "32"],
        ["pretrain", "--data", "data", "--output", "run", "--batch", "8", "--steps", "5"]
          + smallModel,
        ["export", "--from", "run", "--output", "discriminator"],
        ["export", "--from", "run", "--output", "generator", "--part", "generator"],
      ], in: folder)
    return folder
  }
}

/// The folder of `shortRun` with files of two tasks.
///
/// `train.tsv` and `dev.tsv` have texts and labels, which the first letter determines; about half
/// of the texts have each. `train.txt` and `dev.txt` have words and tags, which a syllable determines.
func finetuningFiles() throws -> TemporaryFolder {
  try Fixtures.copy(of: "files of two tasks") {
    let folder = try shortRun(documents: 200)
    let lines = madeText(documents: 60).split(separator: "\n").map(String.init)
    for (name, lines) in [("train", lines[..<300]), ("dev", lines[300...])] {
      try folder.write(
        "text\tlabel\n" + lines.map { "\($0)\t\($0 < "p" ? "yes" : "no")\n" }.joined(),
        "\(name).tsv")
      try folder.write(
        lines.map { line in
          line.split(separator: " ").map { "\($0) \($0.contains("ba") ? "B-x" : "O")\n" }
            .joined() + "\n"
        }.joined(), "\(name).txt")
    }
    return folder
  }
}

/// The folder of `shortRun` with a fine-tuned model per kind of problem, and their training files.
///
/// The models are `classification`, `multilabel`, `regression`, `tagging`, `span` and `joint`.
func finetunedModels() throws -> TemporaryFolder {
  try Fixtures.copy(of: "fine-tuned models") {
    let folder = try shortRun()
    let lines = madeText(documents: 12).split(separator: "\n").map(String.init)
    try folder.write(
      "a\tb\tlabel\tscore\tsome\n"
        + zip(lines, lines.dropFirst()).enumerated().map { i, pair in
          "\(pair.0)\t\(pair.1)\t\(i % 3)\t\(Double(i % 7) / 2)\t"
            + ["", "x", "y,x", "z"][i % 4] + "\n"
        }.joined(), "pairs.tsv")
    try folder.write(
      lines.enumerated().map { i, line in
        line.split(separator: " ").map { "\($0) \($0.count % 3 == i % 2 ? "B-x" : "O")\n" }
          .joined() + "\n"
      }.joined(), "words.txt")
    try folder.write(questions(lines), "questions.json")
    let pairs = ["--text", "a", "--text2", "b"]
    let train = { (file: String) in ["--train", file, "--dev", file] }
    try runAll(
      [
        ["--output", "classification"] + train("pairs.tsv") + pairs,
        ["--problem", "multilabel", "--output", "multilabel", "--label", "some"]
          + train("pairs.tsv") + pairs,
        ["--problem", "regression", "--output", "regression", "--label", "score"]
          + train("pairs.tsv") + pairs,
        ["--problem", "tagging", "--output", "tagging"] + train("words.txt"),
        ["--problem", "span", "--output", "span", "--length", "32"] + train("questions.json"),
        ["--problem", "span", "--output", "joint", "--length", "32", "--head", "reference"]
          + train("questions.json"),
      ].map { ["finetune", "own"] + $0 + ["--from", "run", "--epochs", "1"] }, in: folder)
    return folder
  }
}

/// SQuAD JSON about lines of text: the answer is the second word, or there is none.
private func questions(_ lines: [String]) -> String {
  let paragraphs = lines.enumerated().map { i, line in
    let words = line.split(separator: " ")
    let answer = "{\"text\": \"\(words[1])\", \"answer_start\": \(words[0].count + 1)}"
    return """
      {"context": "\(line)", "qas": [{"id": "\(i)", "question": "\(words[0])", \
      "is_impossible": \(i % 4 == 0), "answers": [\(i % 4 == 0 ? "" : answer)]}]}
      """
  }
  return "{\"data\": [{\"paragraphs\": [\(paragraphs.joined(separator: ","))]}]}"
}
