import Collectives
import Electra
import Foundation
import Layers
import Models
import Platform
import TestSupport
import Testing
import Tokenization
import Training

/// Files of minimal pairs and the accuracies of small models on them.
struct MinimalPairsTests {
  private static func read(_ text: String) throws -> MinimalPairs {
    try MinimalPairs(path: "pairs.tsv", contents: Array(text.utf8))
  }

  /// 150 pairs of two phenomena.
  private static let file =
    "phenomenon\tgood\tbad\n"
    + (0..<150).map { (number: Int) -> String in
      let words = (0..<4 + number % 5).map { ["the", "cat", "sat", "mat"][(number * 3 + $0) % 4] }
      return "p\(number % 2)\t\(words.joined(separator: " "))\t"
        + "\(words.reversed().joined(separator: " "))\n"
    }.joined()

  /// The accuracy of the model at `path`.
  private static func accuracy(
    _ path: String, _ pairs: MinimalPairs, threads: Int = 1
  ) throws -> PairAccuracy {
    let model = try ScoringModel(path)
    let encoded = try EncodedPairs(pairs, tokenizer: model.tokenizer, longest: 12)
    let evaluator = try Evaluator(
      PairScorer(model.objective), weights: model.weights, world: .alone(),
      processors: Array(repeating: -1, count: threads))
    defer { evaluator.end() }
    return try encoded.accuracy(evaluator)
  }

  @Test
  func columnsAreFoundByNameAndTwoNeedNone() throws {
    let named = try Self.read(
      "\u{FEFF}id\tbad\tphenomenon\tgood\r\n1\tcats sat\tnumber\tthe cats sat\textra\r\n\n"
        + "2\tb\torder\ta\n3\td\tnumber\tc")
    #expect(named.phenomena == ["number", "order"])
    #expect(named.pairs.map(\.good) == ["the cats sat", "a", "c"])
    #expect(named.pairs.map(\.bad) == ["cats sat", "b", "d"])
    #expect(named.pairs.map(\.phenomenon) == [0, 1, 0] && named.pairs.map(\.line) == [2, 4, 5])
    let plain = try Self.read("a good one\ta bad one\n")
    #expect(plain.pairs.map(\.good) == ["a good one"] && plain.phenomena == [])
  }

  @Test(arguments: [
    ("", "it has no pairs"), ("good\tbad\n\n", "it has no pairs"),
    ("a\tb\tc\n", "line 1 has 3 columns; give two, or name the columns good and bad"),
    ("a\tb\n\nc\n", "line 3 has 1 column;"),
    ("phenomenon\tgood\tbad\nx\ta\n", "line 2 has 2 columns where 3 are needed"),
    ("a\tb\nc \t c\n", "line 2 has the same sentence twice: c"),
    ("a\t \n", "line 1 lacks a sentence"),
    ("good\tbad\tphenomenon\na\tb\t\n", "line 2 lacks a phenomenon"),
  ])
  func aBadLineIsNamed(text: String, reason: String) {
    let message = sentence { _ = try Self.read(text) }
    #expect(message.hasPrefix("cannot use pairs.tsv: \(reason)"), "\(message)")
  }

  @Test
  func textThatIsNotUTF8IsNamed() {
    let bytes = Array("a\tb\nc\t".utf8) + [0xFF, 0x0A]
    #expect(throws: TextError.notUTF8(path: "pairs.tsv", line: 2)) {
      try MinimalPairs(path: "pairs.tsv", contents: bytes)
    }
  }

  @Test
  func sentencesThatDoNotFitTheModelAreNamed() throws {
    let tokenizer = try smallTokenizer()
    func message(_ text: String) -> String {
      sentence { _ = try EncodedPairs(Self.read(text), tokenizer: tokenizer, longest: 6) }
    }
    #expect(message("the cat sat mat\tmat sat cat the\n") == "")
    #expect(
      message("a\tb\nthe cat\tthe cat sat mat the\n").contains(
        "line 2 has a sentence of 7 tokens with [CLS] and [SEP], and the model's sequences have at "
          + "most 6; remove the pair"))
    #expect(message("a\tb\n\u{200B}\tb\n").contains("line 2 has a sentence without tokens"))
  }

  /// The vocabulary has no digits, so these sentences have equal tokens.
  @Test
  func pairsThatTheVocabularyCannotTellApartCountHalf() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let pairs = try Self.read("good\tbad\tphenomenon\n1 cat\t2 cat\tx\n3\t4\ty\n5\t6\ty\n")
    let accuracy = try Self.accuracy(folder.file("run"), pairs)
    #expect(accuracy.total.accuracy == 0.5 && accuracy.equalPairs == 3)
    #expect(accuracy.phenomena.map(\.pairs) == [1, 2])
    let encoded = try EncodedPairs(pairs, tokenizer: smallTokenizer(), longest: 12)
    #expect(encoded.warning?.contains("lacks their words: 3 of 3; they count half") == true)
    #expect(accuracy.total.standardError == 0, "all pairs count 1/2")
    let row = "  y" + String(repeating: " ", count: 25) + "50.00 % +-  0.00  of 2 pairs\n"
    #expect(accuracy.table.contains(row), "\(accuracy.table)")
    #expect(accuracy.line == "x 0.500, y 0.500")
  }

  @Test(arguments: [PretrainingTask.Objective.electra, .mlm])
  func threadsChangeNothingAndPhenomenaAddUp(objective: PretrainingTask.Objective) throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"), objective: objective)
    let pairs = try Self.read(Self.file)
    let alone = try Self.accuracy(folder.file("run"), pairs)
    for threads in [2, 3] {
      #expect(try Self.accuracy(folder.file("run"), pairs, threads: threads) == alone)
    }
    #expect(alone.total.pairs == 150 && alone.phenomena.map(\.pairs) == [75, 75])
    #expect(alone.phenomena.map(\.halves).reduce(0, +) == alone.total.halves)
    #expect((0.1..<0.9).contains(alone.total.accuracy), "\(alone)")
    // The mean square of the numbers 1, 1/2 and 0, less the square of their mean.
    let (count, ties, p) = (150.0, Double(alone.total.ties), alone.total.accuracy)
    let variance = ((Double(alone.total.halves) - ties) / 2 + ties / 4) / count - p * p
    #expect(abs(alone.total.standardError - (variance / count).squareRoot()) < 1e-12)
    #expect(alone.phenomena.map(\.ties).reduce(0, +) == alone.total.ties)
    let json = try alone.json(step: 5, score: .detection)
    #expect(json.contains("\"phenomenon\":\"p1\"") && json.contains("\"step\":5"), "\(json)")
  }

  /// Good and bad exchanged, each decided pair is decided the other way.
  @Test
  func exchangedColumnsGiveTheOppositeAccuracy() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let accuracy = try Self.accuracy(folder.file("run"), Self.read(Self.file))
    let exchanged = try Self.accuracy(
      folder.file("run"),
      Self.read(Self.file.replacingOccurrences(of: "good\tbad", with: "bad\tgood")))
    #expect(exchanged.total.halves == 2 * 150 - accuracy.total.halves)
  }

  /// The exports of a run are scored as the run.
  @Test
  func huggingFaceFoldersAreScoredByTheirHead() throws {
    let folder = try exportedRun()
    let pairs = try Self.read(Self.file)
    let run = try Self.accuracy(folder.file("run"), pairs)
    #expect(try Self.accuracy(folder.file("discriminator"), pairs) == run)
    let generator = try ScoringModel(folder.file("generator"))
    #expect(PairScorer(generator.objective).score == .pseudoLogLikelihood && generator.step == nil)
    try writeRun(folder.file("mlm"), objective: .mlm)
    try HuggingFaceExport(from: folder.file("mlm"), .discriminator).write(to: folder.file("hf"))
    #expect(
      try Self.accuracy(folder.file("hf"), pairs) == Self.accuracy(folder.file("mlm"), pairs))
    let message = sentence { _ = try ScoringModel(folder.path) }
    #expect(message.contains(folder.path), "\(message)")
  }
}
