import Layers

extension ExampleSet {
  /// The batch of these examples, each known by its place.
  package func batch(_ places: some Sequence<Int>, step: Int = 0, firstSequence: Int = 0) -> Batch {
    var batch = Batch(step: step, firstSequence: firstSequence)
    for place in places {
      let example = examples[place]
      batch.append(tokens: example.tokens, segmentIDs: example.types, example: place)
    }
    return batch
  }

  /// The longest sequence.
  package var longest: Int { examples.reduce(0) { max($0, $1.tokens.count) } }

  /// The answers that `numbers`, a model's for all examples in order, mean.
  ///
  /// - Parameter nullThreshold: in place of the head's own (`SpanRules`).
  package func answers(
    _ numbers: [Float], of model: TaskModel, nullThreshold: Float? = nil
  ) -> Answers {
    var start = 0
    let outputs = examples.map { example in
      let count = model.answerCount(tokens: example.tokens.count)
      defer { start += count }
      return Array(numbers[start..<start + count])
    }
    precondition(start == numbers.count, "\(numbers.count) numbers for \(examples.count) examples")
    let isBeam = model.style == .reference && task.problem == .span
    var rules = isBeam ? SpanRules.reference : SpanRules()
    if let nullThreshold { rules.nullThreshold = nullThreshold }
    guard isBeam else { return answers(outputs: outputs, rules: rules) }
    return answers(windows: outputs.map { WindowAnswers(SpanBeam(floats: $0)) }, rules: rules)
  }

  /// The words of each sentence; none for other tasks than tagging.
  package var words: [[String]] {
    if case .sentences(let sentences, _, _) = source { sentences.map(\.words) } else { [] }
  }
}

extension WindowAnswers {
  /// Every start of a beam with every end of its own. That there is no answer is decided apart: the
  /// answers' scores are not weighed against it.
  fileprivate init(_ beam: SpanBeam) {
    let candidates = beam.starts.flatMap { start in
      start.ends.filter { $0.token >= start.token }.map { end in
        SpanCandidate(
          start: start.token, end: end.token, score: start.logChance + end.logChance)
      }
    }
    self.init(candidates: candidates, nullScore: beam.absence)
  }
}

extension SpanRules {
  /// The reference's: none is the answer where its logit is above -2.75.
  fileprivate static let reference = SpanRules(nullThreshold: -2.75, weighsNull: false)
}
