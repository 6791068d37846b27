/// Answers to all examples of a set: for each row of its file, each sentence or each question.
package enum Answers: Sendable, Equatable {
  /// The places of labels.
  case labels([Int])
  /// Scores on the file's scale, not clipped.
  case scores([Float])
  /// For each sentence the tags of its words, in the form of its file (BIO or BIOES).
  case tags([[String]])
  case spans([SpanAnswer])
}

extension ExampleSet {
  /// The answers that a head's outputs mean: for each example one output a label, or one score; for tags
  /// and spans (T, `outputCount`), row after row, for the T tokens of the example.
  package func answers(outputs: [[Float]], rules: SpanRules = SpanRules()) -> Answers {
    precondition(outputs.count == examples.count, "an output for each example")
    switch source {
    case .rows where task.problem == .regression:
      return .scores(outputs.map { $0[0] * task.scoreScale })
    case .rows:
      return .labels(outputs.map { Self.best($0[...]) })
    case .sentences(let sentences, let pieces, let isBIOES):
      let tags = tags(outputs, of: sentences, pieces)
      return .tags(task.learnsBIOES && !isBIOES ? tags.map(Self.bio) : tags)
    case .questions(let sheet):
      return answers(
        windows: zip(outputs, sheet.windows).map { logits, window in
          WindowAnswers(logits: logits, window: window, rules: rules)
        }, rules: rules)
    }
  }

  /// The answers out of what a head says of each window, where it does not score first and last tokens
  /// independently.
  package func answers(windows: [WindowAnswers], rules: SpanRules = SpanRules()) -> Answers {
    guard case .questions(let sheet) = source else {
      preconditionFailure("only questions have windows")
    }
    return .spans(sheet.answers(windows, rules: rules))
  }

  private func tags(
    _ outputs: [[Float]], of sentences: [Sentence], _ pieces: [TagEncoder.Piece]
  ) -> [[String]] {
    var tags = sentences.map { [String](repeating: "", count: $0.words.count) }
    let count = outputCount
    for (piece, logits) in zip(pieces, outputs) {
      for (word, position) in piece.positions.enumerated() {
        let best = Self.best(logits[position * count..<(position + 1) * count])
        tags[piece.sentence][piece.firstWord + word] = labels.names[best]
      }
    }
    return tags
  }

  private static func bio(_ tags: [String]) -> [String] {
    Tags.areEntityTags(tags)
      ? Tags.tags(of: Tags.entities(tags), count: tags.count, bioes: false) : tags
  }

  /// The place of the highest output, of equal ones the first.
  private static func best(_ outputs: ArraySlice<Float>) -> Int {
    var best = outputs.startIndex
    for place in outputs.indices where outputs[place] > outputs[best] { best = place }
    return best - outputs.startIndex
  }
}

extension ExampleSet {
  /// What the set's metrics say of answers, in the order of `metrics`; nothing where the right answers
  /// are not known.
  package func scores(of answers: Answers) -> [Score] {
    guard isLabelled else { return [] }
    switch (answers, source) {
    case (.labels(let places), _): return labelScores(places)
    case (.scores(let scores), _): return correlations(scores)
    case (.tags(let tags), .sentences(let sentences, _, _)):
      return tagScores(tags, sentences.map(\.tags))
    case (.spans(let spans), .questions(let sheet)):
      let scores = AnswerScores(
        sheet.questions, spans, allowsNoAnswer: task.allowsNoAnswer)
      return metrics.map { Score($0, scores.value(of: $0)) }
    default: preconditionFailure("the answers are those of another set")
    }
  }

  private func labelScores(_ predicted: [Int]) -> [Score] {
    let gold = examples.map { example -> Int in
      if case .label(let place) = example.target { place } else { -1 }
    }
    return metrics.map { metric in
      switch metric {
      case .accuracy: Score(metric, LabelScores.accuracy(gold, predicted))
      case .matthews: Score(metric, LabelScores.matthews(gold, predicted))
      case .f1: Score(metric, LabelScores.f1(gold, predicted))
      case .macroF1: Score(metric, LabelScores.macroF1(gold, predicted))
      default: preconditionFailure("\(metric) does not measure labels")
      }
    }
  }

  private func correlations(_ scores: [Float]) -> [Score] {
    let predicted = scores.map(Double.init)
    let gold = examples.map { example -> Double in
      if case .score(let score) = example.target { Double(score * task.scoreScale) } else { 0 }
    }
    return metrics.map { metric in
      switch metric {
      case .pearson: Score(metric, Correlation.pearson(gold, predicted))
      case .spearman: Score(metric, Correlation.spearman(gold, predicted))
      default: preconditionFailure("\(metric) does not measure numbers")
      }
    }
  }

  private func tagScores(_ predicted: [[String]], _ gold: [[String]]) -> [Score] {
    let entities = EntityScores(gold, predicted)
    return metrics.map { metric in
      switch metric {
      case .entityF1: Score(metric, entities.f1)
      case .entityPrecision: Score(metric, entities.precision)
      case .entityRecall: Score(metric, entities.recall)
      case .accuracy:
        Score(metric, LabelScores.accuracy(gold.flatMap { $0 }, predicted.flatMap { $0 }))
      default: preconditionFailure("\(metric) does not measure tags")
      }
    }
  }
}

extension AnswerScores {
  fileprivate func value(of metric: Metric) -> Double {
    switch metric {
    case .exactMatch: exactMatch
    case .answerF1: f1
    case .hasAnswerExactMatch: hasAnswerExactMatch
    case .hasAnswerF1: hasAnswerF1
    case .noAnswerAccuracy: noAnswerAccuracy
    case .bestExactMatch: bestExactMatch.value
    case .bestAnswerF1: bestF1.value
    case .bestNullThreshold: bestF1.threshold
    default: preconditionFailure("\(metric) does not measure answers")
    }
  }
}
