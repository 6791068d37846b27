/// The predictions for all examples of a set: one for each row, sentence or question of its file.
package enum Predictions: Sendable, Equatable {
  /// Indices of labels in `ExampleSet.labels`.
  case labels([Int])
  /// The indices of each example's labels, in rising order: those with a probability above 0.5.
  case labelSets([[Int]])
  /// Scores on the file's scale, not clipped to the task's range.
  case scores([Float])
  /// The tags of each sentence's words, in the scheme of its file (BIO, BIOES or BILOU).
  case tags([[String]])
  case spans([SpanAnswer])
}

extension ExampleSet {
  /// The predictions that a head's outputs encode.
  ///
  /// - Parameters:
  ///   - outputs: for each example `outputCount` floats; for tags and spans (T, `outputCount`)
  ///     floats, row by row, where T is the example's number of tokens.
  ///   - rules: how the answers to questions are selected; unused by other tasks.
  /// - Returns: the predictions. Of equal outputs the first is selected.
  package func predictions(outputs: [[Float]], rules: SpanRules = SpanRules()) -> Predictions {
    precondition(outputs.count == examples.count, "an output for each example")
    switch source {
    case .rows where task.problem == .regression:
      return .scores(outputs.map { $0[0] * task.scoreScale })
    case .rows where task.problem == .multilabel:
      // The sigmoid of a logit is above 0.5 where the logit is above 0.
      return .labelSets(outputs.map { logits in logits.indices.filter { logits[$0] > 0 } })
    case .rows:
      return .labels(outputs.map { Self.best($0[...]) })
    case .sentences(_, _, let marksEnds):
      let tags = perWord(outputs) { labels.names[Self.best($0)] }
      return .tags(task.learnsBIOES && !marksEnds ? tags.map(Self.bio) : tags)
    case .questions(let sheet):
      return predictions(
        windows: zip(outputs, sheet.windows).map { logits, window in
          WindowAnswers(logits: logits, window: window, rules: rules)
        }, rules: rules)
    }
  }

  /// The answers to questions, from the candidates of each window.
  ///
  /// For a head that does not score first and last tokens independently (`SpanBeam`).
  func predictions(windows: [WindowAnswers], rules: SpanRules) -> Predictions {
    guard case .questions(let sheet) = source else {
      preconditionFailure("only questions have windows")
    }
    return .spans(sheet.answers(windows, rules: rules))
  }

  /// The values of each sentence's words, computed from the outputs of the words' first tokens.
  ///
  /// `outputs` are those of each example, as for `predictions`.
  func perWord<Value>(
    _ outputs: [[Float]], _ value: (ArraySlice<Float>) -> Value
  ) -> [[Value]] {
    guard case .sentences(let sentences, let pieces, _) = source else {
      preconditionFailure("only sentences have words")
    }
    var values = [[Value]](repeating: [], count: sentences.count)
    // The pieces of a sentence are in the order of its words.
    for (piece, logits) in zip(pieces, outputs) {
      values[piece.sentence] += piece.positions.map { position in
        value(logits[position * outputCount..<(position + 1) * outputCount])
      }
    }
    return values
  }

  private static func bio(_ tags: [String]) -> [String] {
    Tags.areEntityTags(tags)
      ? Tags.tags(of: Tags.entities(tags), count: tags.count, bioes: false) : tags
  }

  /// The index of the largest output; of equal outputs the first.
  private static func best(_ outputs: ArraySlice<Float>) -> Int {
    var best = outputs.startIndex
    for index in outputs.indices where outputs[index] > outputs[best] { best = index }
    return best - outputs.startIndex
  }
}

extension ExampleSet {
  /// The score of each of `metrics`, in this order; empty if the set has no labels.
  ///
  /// `predictions` must be of the same kind as the set's, one for each row, sentence or question.
  package func scores(of predictions: Predictions) -> [Score] {
    guard isLabelled else { return [] }
    switch (predictions, source) {
    case (.labels(let labels), _): return labelScores(labels)
    case (.labelSets(let sets), _): return labelSetScores(sets)
    case (.scores(let scores), _): return correlations(scores)
    case (.tags(let tags), .sentences(let sentences, _, _)):
      return tagScores(sentences.map(\.tags), tags)
    case (.spans(let spans), .questions(let sheet)):
      let scores = AnswerScores(
        sheet.questions, spans, allowsNoAnswer: task.allowsNoAnswer)
      return metrics.map { Score($0, scores.value(of: $0)) }
    default: preconditionFailure("the predictions belong to another set")
    }
  }

  /// The index of each example's label; -1 for other targets.
  var goldLabels: [Int] {
    examples.map { if case .label(let index) = $0.target { index } else { -1 } }
  }

  private func labelScores(_ predicted: [Int]) -> [Score] {
    let gold = goldLabels
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

  /// The indices of each example's labels; none for other targets.
  var goldLabelSets: [[Int]] {
    examples.map { if case .labels(let indices) = $0.target { indices } else { [] } }
  }

  private func labelSetScores(_ predicted: [[Int]]) -> [Score] {
    let gold = goldLabelSets
    return metrics.map { metric in
      switch metric {
      case .microF1: Score(metric, LabelScores.microF1(gold, predicted))
      case .macroF1:
        Score(metric, LabelScores.macroF1(gold, predicted, labels: labels.count))
      case .subsetAccuracy: Score(metric, LabelScores.accuracy(gold, predicted))
      default: preconditionFailure("\(metric) does not measure sets of labels")
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
      default: preconditionFailure("\(metric) does not measure scores")
      }
    }
  }

  private func tagScores(_ gold: [[String]], _ predicted: [[String]]) -> [Score] {
    let entities = MatchCounts.entities(gold, predicted).values.total
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
