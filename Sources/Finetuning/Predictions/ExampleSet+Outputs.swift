import Layers

extension ExampleSet {
  /// The batch of the examples with these indices; `Batch.examples` are the indices.
  package func batch(
    _ indices: some Sequence<Int>, step: Int = 0, firstSequence: Int = 0
  ) -> Batch {
    var batch = Batch(step: step, firstSequence: firstSequence)
    for index in indices {
      let example = examples[index]
      batch.append(tokens: example.tokens, segmentIDs: example.segmentIDs, example: index)
    }
    return batch
  }

  /// The number of tokens of the longest sequence; 0 for an empty set.
  package var longest: Int { examples.reduce(0) { max($0, $1.tokens.count) } }

  /// The predictions that a model's outputs encode.
  ///
  /// - Parameters:
  ///   - outputs: the outputs of `TaskModel.outputs` for all examples, concatenated in order.
  ///   - model: the model, which defines the number of outputs of an example.
  ///   - nullThreshold: replaces the head's default threshold, see `SpanRules`.
  /// - Returns: one prediction for each row, sentence or question of the file.
  package func predictions(
    _ outputs: [Float], of model: TaskModel, nullThreshold: Float? = nil
  ) -> Predictions {
    let separate = perExample(outputs, of: model)
    let isBeam = model.style == .reference && task.problem == .span
    var rules = isBeam ? SpanRules.reference : SpanRules()
    if let nullThreshold { rules.nullThreshold = nullThreshold }
    guard isBeam else { return predictions(outputs: separate, rules: rules) }
    return predictions(windows: separate.map { WindowAnswers(SpanBeam(floats: $0)) }, rules: rules)
  }

  /// Splits the outputs of `model` for all examples, concatenated in order, into one list for each.
  func perExample(_ outputs: [Float], of model: TaskModel) -> [[Float]] {
    var start = 0
    let separate = examples.map { example in
      let count = model.outputCount(tokens: example.tokens.count)
      defer { start += count }
      return Array(outputs[start..<start + count])
    }
    precondition(start == outputs.count, "\(outputs.count) outputs for \(examples.count) examples")
    return separate
  }

  /// The words of each sentence of a tagging task; empty for other tasks.
  package var words: [[String]] {
    if case .sentences(let sentences, _, _) = source { sentences.map(\.words) } else { [] }
  }
}

extension WindowAnswers {
  /// Combines every start of a beam with each of its ends that is not before it.
  ///
  /// A candidate's score is the log-probability of start and end. The null score is the no-answer
  /// logit, which is not comparable with these scores, see `SpanRules.subtractsBestScore`.
  fileprivate init(_ beam: SpanBeam) {
    let candidates = beam.starts.flatMap { start in
      start.ends.filter { $0.token >= start.token }.map { end in
        SpanCandidate(
          start: start.token, end: end.token, score: start.logProbability + end.logProbability)
      }
    }
    self.init(candidates: candidates, nullScore: beam.noAnswerLogit)
  }
}

extension SpanRules {
  /// The reference's rules: there is no answer if the no-answer logit is above -2.75.
  fileprivate static let reference = SpanRules(nullThreshold: -2.75, subtractsBestScore: false)
}
