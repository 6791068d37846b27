import Finetuning
import Foundation
import Platform
import TestSupport
import Testing

/// Corrupted files of every layout give an error message or valid examples, and never crash the
/// reader.
@Suite(.serialized)
struct DamageTests {
  private static let table = """
    index\tsentence1\tsentence2\tlabel
    0\tthe cat sat\ton the mat\tentailment
    1\tcafé, “the” mat\tcat\tnot_entailment
    2\t\t\tentailment

    """
  private static let scores =
    "sentence1\tsentence2\tscore\na\tb\t5.000\nthe cat\tc\t0.25\nd\te\t3\n"
  private static let words = "the DT B-NP\ncat NN I-NP\n\nsat VB B-VP\non IN B-PP\nmat NN B-NP\n"
  private static let lines = """
    {"tokens": ["the", "cat\\u00e9"], "tags": ["B-X", "O"], "n": [1.5e3, null, {"a": true}]}
    {"tokens": ["sat"], "tags": ["S-X"]}

    """
  private static let several =
    "text,label\n\"the, \"\"cat\"\"\nsat\",\"a,b\"\non,\nmat,b|c\n"
  private static let questions = """
    {"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "the café cat sat",
    "qas": [{"id": "1", "question": "the?", "answers": [{"text": "café", "answer_start": 4}],
    "is_impossible": false}, {"id": "2", "question": "on?", "answers": [], "is_impossible": true}]}]}]}
    """

  @Test
  func mutatedFilesAreRefusedOrAnswered() throws {
    let folder = try TemporaryFolder()
    let columns = Layout.table(Columns(first: .named("text"), label: .named("label")))
    let cases: [(task: Task, name: String, text: String)] = [
      (try .named("rte"), "rte.tsv", Self.table), (try .named("stsb"), "stsb.tsv", Self.scores),
      (try .named("chunking"), "words.txt", Self.words),
      (.custom(.tagging, .words(WordColumns())), "lines.jsonl", Self.lines),
      (try .named("squad2"), "questions.json", Self.questions),
      (.custom(.multilabel, columns), "several.csv", Self.several),
    ]
    let roles: [SplitRole] = [.training, .development, .test]
    let tokenizer = try smallTokenizer()
    var draws = Draws(state: 12)
    var refused = 0
    for round in 0..<Draws.mutationCount {
      let item = cases[round % cases.count]
      var bytes = [UInt8](item.text.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &draws) { draws.mutate(&bytes) }
      let path = try folder.write(bytes, item.name)
      let file = item.task.file(roles[round / cases.count % roles.count], at: path)
      do {
        let reader = try ExampleReader(item.task, tokenizer: tokenizer, maximumLength: 16)
        try check(try reader.read(file), &draws)
      } catch {
        #expect(error is FinetuningError || error is TextError, "round \(round): \(error)")
        #expect(!"\(error)".isEmpty)
        refused += 1
      }
    }
    #expect(refused > Draws.mutationCount / 20 && refused < Draws.mutationCount)
  }

  /// Checks that random outputs of the right size give predictions, files and scores.
  private func check(_ set: ExampleSet, _ draws: inout Draws) throws {
    var outputs: [[Float]] = []
    for example in set.examples {
      #expect(
        (2...16).contains(example.tokens.count) && example.segmentIDs.count == example.tokens.count)
      let rows = [.tagging, .span].contains(set.task.problem) ? example.tokens.count : 1
      outputs.append((0..<rows * set.outputCount).map { _ in .random(in: -1...1, using: &draws) })
      if case .span(let start, let end) = example.target {
        #expect(start <= end && end < example.tokens.count)
      }
    }
    let predictions = set.predictions(outputs: outputs)
    #expect(try set.files(of: predictions).allSatisfy { !$0.text.isEmpty })
    let classes = set.classScores(of: predictions)
    #expect(set.isLabelled || classes == nil)
    if let counts = classes?.classes.map(\.counts) {
      #expect(counts.allSatisfy { $0.correct <= min($0.predicted, $0.support) })
    }
    #expect(set.scores(of: predictions).count == (set.isLabelled ? set.metrics.count : 0))
  }
}
