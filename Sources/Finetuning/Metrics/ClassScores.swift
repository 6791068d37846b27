/// The scores of each class of a set of examples, and its confusion matrix.
///
///     let scores = dev.classScores(of: predictions)
///     print(scores.classes[0].counts.recall, scores.confusion?["yes"]?["no"])
///
/// A class is a label, a tag, or, where tags mark entities, a kind of entity. Counts are stored, so
/// that the scores of disjoint sets can be added.
package struct ClassScores: Sendable, Equatable, Codable {
  package let split: String
  /// In the order of the labels; entities in the order of their kinds.
  package private(set) var classes: [Class]
  /// The number of examples or words by gold class and predicted class, without zeros.
  ///
  /// Nil for entities and for examples with several labels, which have no single class.
  package private(set) var confusion: [String: [String: Int]]?

  /// The counts of one class.
  package struct Class: Sendable, Equatable {
    package let name: String
    package fileprivate(set) var counts: MatchCounts
  }

  private enum CodingKeys: String, CodingKey { case split, classes, confusion }

  /// The scores of the classes `names`; each key of `counts` must be one of them.
  init(split: String, names: [String], counts: [String: MatchCounts]) {
    self.split = split
    classes = names.map { Class(name: $0, counts: counts[$0] ?? MatchCounts()) }
  }

  /// Counts examples or words with one class each, and their confusion matrix.
  init(split: String, names: [String], gold: [String], predicted: [String]) {
    let pairs = zip(gold, predicted)
    self.init(
      split: split, names: names,
      counts: MatchCounts.byName(
        gold: gold, predicted: predicted, correct: pairs.compactMap { $0 == $1 ? $0 : nil }))
    confusion = pairs.reduce(into: [:]) { $0[$1.0, default: [:]][$1.1, default: 0] += 1 }
  }

  /// Adds the counts of another set of the same task.
  package mutating func add(_ other: ClassScores) {
    let isNew = other.classes.contains { entry in !classes.contains { $0.name == entry.name } }
    for entry in other.classes {
      if let index = classes.firstIndex(where: { $0.name == entry.name }) {
        classes[index].counts += entry.counts
      } else {
        classes.append(entry)
      }
    }
    // The kinds of entities may differ between sets.
    if confusion == nil && other.confusion == nil && isNew { classes.sort { $0.name < $1.name } }
    guard let second = other.confusion else { return }
    confusion = (confusion ?? [:]).merging(second) { $0.merging($1, uniquingKeysWith: +) }
  }
}

extension ClassScores {
  /// The largest count that is read: more than any file has, and the sums of folds stay far below
  /// overflow.
  private static let largestCount = 1_000_000_000_000

  /// Reads scores; throws `DecodingError` for a count that no file has.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    split = try values.decode(String.self, forKey: .split)
    classes = try values.decode([Class].self, forKey: .classes)
    confusion = try values.decodeIfPresent([String: [String: Int]].self, forKey: .confusion)
    let matrix = (confusion ?? [:]).values.flatMap { Array($0.values) }
    let counts = classes.map(\.counts).flatMap { [$0.correct, $0.predicted, $0.support] }
    guard (counts + matrix).allSatisfy({ (0...Self.largestCount).contains($0) }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .classes, in: values,
        debugDescription: "a count is not between 0 and \(Self.largestCount)")
    }
  }
}

extension ClassScores.Class: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, correct, predicted, support, precision, recall, f1
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    counts = MatchCounts(
      correct: try values.decode(Int.self, forKey: .correct),
      predicted: try values.decode(Int.self, forKey: .predicted),
      support: try values.decode(Int.self, forKey: .support))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(counts.correct, forKey: .correct)
    try values.encode(counts.predicted, forKey: .predicted)
    try values.encode(counts.support, forKey: .support)
    try values.encode(counts.precision, forKey: .precision)
    try values.encode(counts.recall, forKey: .recall)
    try values.encode(counts.f1, forKey: .f1)
  }
}

extension ExampleSet {
  /// The scores of each class; nil for regressions, questions and sets without labels.
  package func classScores(of predictions: Predictions) -> ClassScores? {
    guard isLabelled else { return nil }
    switch (predictions, source) {
    case (.labels(let predicted), _):
      return ClassScores(
        split: split.name, names: labels.names, gold: goldLabels.map { labels.names[$0] },
        predicted: predicted.map { labels.names[$0] })
    case (.labelSets(let predicted), _):
      func names(_ sets: [[Int]]) -> [String] { sets.flatMap { $0.map { labels.names[$0] } } }
      let correct = zip(goldLabelSets, predicted).map { Array(Set($0).intersection($1)) }
      return ClassScores(
        split: split.name, names: labels.names,
        counts: MatchCounts.byName(
          gold: names(goldLabelSets), predicted: names(predicted), correct: names(correct)))
    case (.tags(let tags), .sentences(let sentences, _, _)):
      return tagScores(sentences.map(\.tags), tags)
    default: return nil
    }
  }

  private func tagScores(_ gold: [[String]], _ predicted: [[String]]) -> ClassScores {
    guard Tags.areEntityTags(labels.names) else {
      let (gold, predicted) = (gold.flatMap(\.self), predicted.flatMap(\.self))
      let others = Set(gold).subtracting(labels.names).sorted()
      return ClassScores(
        split: split.name, names: labels.names + others, gold: gold, predicted: predicted)
    }
    let kinds = MatchCounts.entities(gold, predicted)
    return ClassScores(split: split.name, names: kinds.keys.sorted(), counts: kinds)
  }
}
