import Platform

/// The examples of one file as sequences, with the data needed to score and write predictions.
///
///     let reader = try ExampleReader(task, tokenizer: tokenizer)
///     let train = try reader.read(try task.file(.training, in: folder))
///     let dev = try reader.read(try task.file(.development, in: folder), labels: train.labels)
///     let predictions = dev.predictions(outputs: outputs)
///     print(dev.scores(of: predictions))
///
/// An example is one sequence. A long sentence or passage is split into several examples, and
/// `predictions` merges their outputs.
package struct ExampleSet: Sendable {
  package let task: Task
  package let split: TaskSplit
  package let path: String
  /// The labels or tags in the order of the head's outputs; empty for scores and spans.
  package let labels: LabelSet
  /// The sequences in the order of the file.
  package let examples: [EncodedExample]
  package let notes: ReadingNotes
  let source: Source

  /// The rows, sentences or questions of the file to which the examples belong.
  enum Source: Sendable {
    /// The identifier of each row, which is written next to its prediction.
    case rows([String])
    case sentences([Sentence], [TagEncoder.Piece], marksEnds: Bool)
    case questions(QuestionSheet)
  }

  /// The number of outputs of a head for each example (labels, scores) or token (tags, spans).
  ///
  /// One for each label or tag; 1 for a score; 2, for first and last token, for spans.
  package var outputCount: Int {
    switch task.problem {
    case .classification, .multilabel, .tagging: labels.count
    case .regression: 1
    case .span: 2
    }
  }

  /// Whether all gold answers are known.
  package var isLabelled: Bool {
    switch source {
    case .rows: examples.allSatisfy { $0.target != .none }
    case .sentences(let sentences, _, _): sentences.allSatisfy { $0.tags.count == $0.words.count }
    case .questions: split.role != .test
    }
  }

  /// The metrics of this set: the task's, or accuracy alone if tags do not mark entities.
  package var metrics: [Metric] {
    if task.problem == .tagging && !Tags.areEntityTags(labels.names) { return [.accuracy] }
    return task.metrics
  }
}

extension ExampleSet {
  /// A line for each irregularity of the file that the reader has accepted.
  package var noteLines: [String] { notes.sentences(path: path).map { "note: " + $0 } }
}

/// Irregularities of a file that the reader accepts.
package struct ReadingNotes: Sendable, Equatable {
  /// The number of examples that were truncated to the maximum length.
  package var truncated = 0
  /// The lines that were skipped because they have too few columns.
  package var shortLines: [Int] = []
  /// The lines of examples that were skipped because a label is empty.
  package var emptyLabels: [Int] = []
  /// The line at which the file is truncated; the sentence of this line was skipped.
  package var cutLine: Int?
  /// The number of examples without a label in a file in which others have one.
  package var unlabelled = 0
  /// The identifiers of questions that training skips because no answer occurs in the passage.
  package var unreachable: [String] = []
  /// The number of words whose tag is not in the training data; they count as errors.
  package var unknownTags = 0

  /// A sentence for each irregularity.
  package func sentences(path: String) -> [String] {
    var sentences: [String] = []
    if truncated > 0 {
      sentences.append(
        "truncated \(truncated.of("example")) of \(path) to the maximum length")
    }
    if let first = shortLines.first {
      sentences.append(
        "left out \(shortLines.count.of("row")) of \(path) with too few columns, the first on line "
          + "\(first)")
    }
    if let first = emptyLabels.first {
      sentences.append(
        "left out \(emptyLabels.count.of("example")) of \(path) with an empty label, the first on "
          + "line \(first)")
    }
    if let cutLine {
      sentences.append(
        "\(path) ends in the middle of line \(cutLine); its last sentence was left out")
    }
    if unlabelled > 0 {
      sentences.append(
        "\(path) is not scored, because of \(unlabelled.of("example")) without a label")
    }
    if let first = unreachable.first {
      sentences.append(
        "left out \(unreachable.count.of("question")) of \(path) with an answer that is not in the "
          + "passage, the first is \(first)")
    }
    if unknownTags > 0 {
      sentences.append(
        "\(path) has \(unknownTags.of("word")) with a tag that the training data lacks")
    }
    return sentences
  }
}
