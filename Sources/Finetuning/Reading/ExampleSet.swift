/// The examples of one file as sequences, with what is needed to judge answers and to write them down.
///
///     let reader = try ExampleReader(task, tokenizer: tokenizer)
///     let train = try reader.read(try task.file(.training, in: folder))
///     let dev = try reader.read(try task.file(.development, in: folder), labels: train.labels)
///     let answers = dev.answers(outputs: outputs)
///     print(dev.scores(of: answers))
///
/// Every example has one output of the head, whatever the problem; a long sentence or passage gives
/// several examples, and `answers` puts them together again.
package struct ExampleSet: Sendable {
  package let task: Task
  package let split: TaskSplit
  package let path: String
  /// The labels or tags in the order of the head's outputs; none for numbers and spans.
  package let labels: LabelSet
  /// In the order of the file.
  package let examples: [EncodedExample]
  package let notes: ReadingNotes
  let source: Source

  /// Where the examples come from.
  package enum Source: Sendable {
    /// The number that stands beside each answer.
    case rows([String])
    case sentences([Sentence], [TagEncoder.Piece], isBIOES: Bool)
    case questions(QuestionSheet)
  }

  /// The number of outputs that the head has for each example or token: one a label; one for a number;
  /// two, for the first and the last token, for spans.
  package var outputCount: Int {
    switch task.problem {
    case .classification, .tagging: labels.count
    case .regression: 1
    case .span: 2
    }
  }

  /// Whether the right answers are known.
  package var isLabelled: Bool {
    switch source {
    case .rows: examples.allSatisfy { $0.target != .none }
    case .sentences(let sentences, _, _): sentences.allSatisfy { $0.tags.count == $0.words.count }
    case .questions: split.role != .test
    }
  }

  /// What is measured on it: for tags that are no entities, how many are right.
  package var metrics: [Metric] {
    if task.problem == .tagging && !Tags.areEntityTags(labels.names) { return [.accuracy] }
    return task.metrics
  }
}

/// What a reader saw and does not refuse.
package struct ReadingNotes: Sendable, Equatable {
  /// Examples that lost tokens because they are longer than the model.
  package var truncated = 0
  /// Lines that were passed over because they have too few columns.
  package var shortLines: [Int] = []
  /// Lines of examples that were left out because a label is empty.
  package var emptyLabels: [Int] = []
  /// The line in which a file was cut, whose sentence was left out.
  package var cutLine: Int?
  /// Examples of a file without label, where others have one.
  package var unlabelled = 0
  /// Questions that training leaves out because their answer is nowhere in the passage.
  package var unreachable: [String] = []
  /// Tags that the training data does not have: they count as missed.
  package var unknownTags = 0

  /// A sentence for each thing seen.
  package func sentences(path: String) -> [String] {
    var sentences: [String] = []
    if truncated > 0 {
      sentences.append("\(truncated) examples of \(path) are longer than the model and were cut")
    }
    if let first = shortLines.first {
      sentences.append(
        "\(shortLines.count) rows of \(path) have too few columns and were left out, the first on "
          + "line \(first)")
    }
    if let first = emptyLabels.first {
      sentences.append(
        "\(emptyLabels.count) examples of \(path) have an empty label and were left out, the first on "
          + "line \(first)")
    }
    if let cutLine {
      sentences.append(
        "\(path) ends in the middle of line \(cutLine); its last sentence was left out")
    }
    if unlabelled > 0 {
      sentences.append(
        "\(unlabelled) examples of \(path) have no label, so nothing is measured on the file")
    }
    if let first = unreachable.first {
      sentences.append(
        "\(unreachable.count) questions of \(path) have an answer that is not in their passage and "
          + "were left out, the first being \(first)")
    }
    if unknownTags > 0 {
      sentences.append("\(unknownTags) tags of \(path) are not in the training data")
    }
    return sentences
  }
}
