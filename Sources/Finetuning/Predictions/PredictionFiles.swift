import Foundation
import Platform

extension ExampleSet {
  /// Writes predictions in the formats of the benchmarks, and returns the names of the files.
  ///
  /// Labels and scores are written with GLUE's columns `index` and `prediction`; several labels are
  /// separated by commas. A test file has the name that GLUE requires, any other file the split's,
  /// such as `dev_predictions.tsv`. Scores are clipped to the task's range. Tags are written as
  /// conlleval reads them: the word, the gold tag if it is known, and the predicted tag. Spans are
  /// written as SQuAD's JSON of answers and, if a question may have no answer, of null odds.
  ///
  /// All files are written or none. Throws `FileError.exists` unless `replacing`, and
  /// `FileError.unwritable`.
  package func write(
    _ predictions: Predictions, to folder: String, replacing: Bool = false
  ) throws -> [String] {
    let files = try files(of: predictions)
    try AtomicFile.write(
      files.map { (folder + "/" + $0.name, Array($0.text.utf8)) }, replacing: replacing)
    return files.map(\.name)
  }

  /// The names of the files that `write` writes.
  package var predictionFiles: [String] {
    let name = split.name + "_predictions"
    return switch task.problem {
    case .classification, .multilabel, .regression: [split.submission ?? name + ".tsv"]
    case .tagging: [name + ".txt"]
    case .span: [name + ".json"] + (task.allowsNoAnswer ? [split.name + "_null_odds.json"] : [])
    }
  }

  /// The files that `write` writes: name and content.
  package func files(of predictions: Predictions) throws -> [(name: String, text: String)] {
    Array(zip(predictionFiles, try texts(of: predictions)))
  }

  /// The content of each of `predictionFiles`.
  private func texts(of predictions: Predictions) throws -> [String] {
    switch (predictions, source) {
    case (.labels(let predicted), .rows(let indices)):
      let rows = zip(indices, predicted.map { labels.names[$0] })
      return [Self.table(rows)]
    case (.labelSets(let sets), .rows(let indices)):
      let lists = sets.map { $0.map { labels.names[$0] }.joined(separator: ",") }
      return [Self.table(zip(indices, lists))]
    case (.scores(let scores), .rows(let indices)):
      let rows = zip(indices, scores.map(written))
      return [Self.table(rows)]
    case (.tags(let tags), .sentences(let sentences, _, _)):
      return [Self.columns(sentences, tags)]
    case (.spans(let spans), _):
      let answers = Dictionary(
        spans.map { ($0.identifier, $0.text) }, uniquingKeysWith: { first, _ in first })
      // JSON has no infinity: 1e9 means that the passage has no candidate at all.
      let odds = Dictionary(
        spans.map { ($0.identifier, $0.nullOdds.isFinite ? $0.nullOdds : 1e9) },
        uniquingKeysWith: { first, _ in first })
      return [try Self.json(answers), try Self.json(odds)]
    default: preconditionFailure("the predictions belong to another set")
    }
  }

  /// A score as text: clipped to the task's range and with three decimals, as GLUE requires;
  /// without a range, with as many digits as are needed to read back the same number.
  private func written(_ score: Float) -> String {
    guard let range = task.scoreRange else { return "\(score)" }
    let clipped = min(max(score, range.lowerBound), range.upperBound)
    return String(format: "%.3f", Double(clipped))
  }

  private static func table(_ rows: some Sequence<(String, String)>) -> String {
    "index\tprediction\n" + rows.map { "\(cell($0.0))\t\(cell($0.1))\n" }.joined()
  }

  /// A text as a cell of a table: tabs and line breaks, which CSV and JSON may have, become blanks.
  static func cell(_ text: String) -> String {
    let breaks: [Unicode.Scalar] = ["\t", "\n", "\r"]
    let scalars = text.unicodeScalars.map { breaks.contains($0) ? " " : $0 }
    return String(String.UnicodeScalarView(scalars))
  }

  /// One word per line and a blank line after each sentence.
  ///
  /// Columns are separated by blanks, or by tabs if any cell is empty or contains a blank.
  private static func columns(_ sentences: [Sentence], _ tags: [[String]]) -> String {
    let rows: [[[String]]] = zip(sentences, tags).map { sentence, tags in
      tags.indices.map { word -> [String] in
        let gold = sentence.tags.isEmpty ? [] : [sentence.tags[word]]
        return ([sentence.words[word]] + gold + [tags[word]]).map(cell)
      }
    }
    let needsTabs = rows.contains { $0.contains { $0.contains { $0.isEmpty || $0.contains(" ") } } }
    let separator = needsTabs ? "\t" : " "
    return rows.map { sentence in
      sentence.map { $0.joined(separator: separator) + "\n" }.joined() + "\n"
    }.joined()
  }

  private static func json(_ object: some Encodable) throws -> String {
    String(decoding: try object.jsonDocument(), as: UTF8.self) + "\n"
  }
}
