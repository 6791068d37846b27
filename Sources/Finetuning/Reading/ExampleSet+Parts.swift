/// Parts of a set, as a cross-validation needs them. An item is a row or a sentence of the file.
extension ExampleSet {
  /// The number of rows or sentences of the file.
  package var itemCount: Int {
    switch source {
    case .rows(let indices): indices.count
    case .sentences(let sentences, _, _): sentences.count
    case .questions(let sheet): sheet.questions.count
    }
  }

  /// The class of each item, or of its first label; nil if items have no single classes.
  ///
  /// An item without labels has the class -1. The set must have one example for each item.
  package var itemClasses: [Int]? {
    switch task.problem {
    case .classification: goldLabels
    case .multilabel: goldLabelSets.map { $0.first ?? -1 }
    case .regression, .tagging, .span: nil
    }
  }

  /// The item of each example.
  ///
  /// A row has one example, or two if training uses both orders of a pair; a sentence has one for
  /// each of its pieces. Not for questions.
  package var items: [Int] {
    switch source {
    case .rows(let indices):
      examples.indices.map { $0 / max(1, examples.count / max(1, indices.count)) }
    case .sentences(_, let pieces, _): pieces.map(\.sentence)
    case .questions: preconditionFailure("questions of a passage belong together")
    }
  }

  /// The set of the items for which `isIncluded`, in the same order.
  ///
  /// Notes stay those of the whole file. Not for questions.
  package func part(_ isIncluded: (Int) -> Bool) -> ExampleSet {
    let chosen = (0..<itemCount).map(isIncluded)
    let examples = zip(examples, items).filter { chosen[$0.1] }.map(\.0)
    return ExampleSet(
      task: task, split: split, path: path, labels: labels, examples: examples, notes: notes,
      source: source.part(chosen))
  }
}

extension ExampleSet.Source {
  fileprivate func part(_ chosen: [Bool]) -> ExampleSet.Source {
    func part<Element>(_ list: [Element]) -> [Element] {
      zip(list, chosen).filter { $0.1 }.map(\.0)
    }
    switch self {
    case .rows(let indices): return .rows(part(indices))
    case .sentences(let sentences, let pieces, let marksEnds):
      // The new index of each sentence is the number of chosen ones before it.
      var next = 0
      let newIndices = chosen.map { isChosen -> Int in
        defer { next += isChosen ? 1 : 0 }
        return next
      }
      return .sentences(
        part(sentences),
        pieces.filter { chosen[$0.sentence] }.map {
          TagEncoder.Piece(sentence: newIndices[$0.sentence], positions: $0.positions)
        },
        marksEnds: marksEnds)
    case .questions: preconditionFailure("questions of a passage belong together")
    }
  }
}

extension Predictions {
  /// The predictions for a whole set from those for its parts.
  ///
  /// - Parameters:
  ///   - parts: the predictions for each part, all of the same kind and not for questions.
  ///   - assignment: the part of each item of the whole set.
  package init(_ parts: [Predictions], assignment: [Int]) {
    func joined<Value>(_ lists: [[Value]]) -> [Value] {
      var next = lists.map { _ in 0 }
      return assignment.map { part in
        defer { next[part] += 1 }
        return lists[part][next[part]]
      }
    }
    switch parts[0] {
    case .labels:
      self = .labels(joined(parts.map { if case .labels(let list) = $0 { list } else { [] } }))
    case .labelSets:
      self = .labelSets(
        joined(parts.map { if case .labelSets(let list) = $0 { list } else { [] } }))
    case .scores:
      self = .scores(joined(parts.map { if case .scores(let list) = $0 { list } else { [] } }))
    case .tags:
      self = .tags(joined(parts.map { if case .tags(let list) = $0 { list } else { [] } }))
    case .spans: preconditionFailure("questions of a passage belong together")
    }
  }
}
