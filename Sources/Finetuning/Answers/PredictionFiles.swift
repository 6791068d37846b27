import Foundation
import Platform

extension ExampleSet {
  /// Writes answers in the form in which they are handed in, and returns the names of the files.
  ///
  /// - Labels and scores: GLUE's `index` and `prediction`, under the name that GLUE wants for a test file
  ///   and `dev_predictions.tsv` or the like for any other; scores of a task with a range are clipped to it.
  /// - Tags: the word, the right tag where it is known, and the predicted one, as conlleval reads them.
  /// - Spans: SQuAD's JSON of answers and, where there may be none, of null odds.
  ///
  /// Throws `FileError.exists`, unless files are to be replaced, and `FileError.unwritable`.
  package func write(
    _ answers: Answers, to folder: String, replacing: Bool = false
  ) throws -> [String] {
    let files = files(of: answers)
    try AtomicFile.write(
      files.map { (folder + "/" + $0.name, Array($0.text.utf8)) }, replacing: replacing)
    return files.map(\.name)
  }

  /// The names of the files that `write` makes.
  package var answerFiles: [String] {
    let name = split.name + "_predictions"
    return switch task.problem {
    case .classification, .regression: [split.submission ?? name + ".tsv"]
    case .tagging: [name + ".txt"]
    case .span: [name + ".json"] + (task.allowsNoAnswer ? [split.name + "_null_odds.json"] : [])
    }
  }

  /// The files of answers: name and text.
  package func files(of answers: Answers) -> [(name: String, text: String)] {
    Array(zip(answerFiles, texts(of: answers)))
  }

  /// The text of each of `answerFiles`.
  private func texts(of answers: Answers) -> [String] {
    switch (answers, source) {
    case (.labels(let places), .rows(let indices)):
      let rows = zip(indices, places.map { labels.names[$0] })
      return [Self.table(rows)]
    case (.scores(let scores), .rows(let indices)):
      let rows = zip(indices, scores.map(written))
      return [Self.table(rows)]
    case (.tags(let tags), .sentences(let sentences, _, _)):
      return [Self.columns(sentences, tags)]
    case (.spans(let spans), _):
      let answers = Dictionary(
        spans.map { ($0.identifier, $0.text) }, uniquingKeysWith: { first, _ in first })
      let odds = Dictionary(
        spans.map { ($0.identifier, $0.nullOdds.isFinite ? $0.nullOdds : 1e9) },
        uniquingKeysWith: { first, _ in first })
      return [Self.json(answers), Self.json(odds)]
    default: preconditionFailure("the answers are those of another set")
    }
  }

  /// A score within the task's range, with three decimals as GLUE has them; where no range is known, with
  /// as many digits as it takes to read the same number back.
  private func written(_ score: Float) -> String {
    guard let range = task.scoreRange else { return "\(score)" }
    let clipped = min(max(score, range.lowerBound), range.upperBound)
    return String(format: "%.3f", Double(clipped))
  }

  private static func table(_ rows: some Sequence<(String, String)>) -> String {
    "index\tprediction\n" + rows.map { "\($0.0)\t\($0.1)\n" }.joined()
  }

  /// One word a line, a blank line after each sentence. Columns stand between blanks, or between tabs
  /// if a word holds a blank.
  private static func columns(_ sentences: [Sentence], _ tags: [[String]]) -> String {
    let hasBlanks = sentences.contains { $0.words.contains { $0.contains(" ") } }
    let separator = hasBlanks ? "\t" : " "
    return zip(sentences, tags).map { sentence, tags in
      tags.indices.map { word in
        let gold = sentence.tags.isEmpty ? [] : [sentence.tags[word]]
        return ([sentence.words[word]] + gold + [tags[word]]).joined(separator: separator) + "\n"
      }.joined() + "\n"
    }.joined()
  }

  private static func json(_ object: some Encodable) -> String {
    (try? object.jsonDocument()).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
  }
}
