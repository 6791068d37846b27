extension Task {
  /// Why no model can have this task, as a clause; nil if one can.
  ///
  /// The task of a model is read from its `task.json`, which may have been edited.
  package var inconsistency: String? {
    if splits.isEmpty || metrics.isEmpty { return "its task has no splits or no metrics" }
    if splits.contains(where: { !reads($0.layout) }) {
      return "its problem is \(problem.rawValue), and a split has the layout of another problem"
    }
    for case .words(let columns) in splits.map(\.layout) {
      for index in [columns.word, columns.tag] where WordColumns.index(String(index)) == nil {
        return "a split has its words or tags in column \(index), which no file has"
      }
    }
    return metrics.first { !possibleMetrics.contains($0) }.map {
      "its problem is \(problem.rawValue), which the metric \($0.rawValue) does not measure"
    }
  }

  /// Whether examples of this problem are read from files with this layout.
  private func reads(_ layout: Layout) -> Bool {
    switch (layout, problem) {
    case (.table, .classification), (.table, .multilabel), (.table, .regression): true
    case (.words, .tagging), (.questions, .span): true
    default: false
    }
  }

  /// The metrics that measure predictions of this problem.
  private var possibleMetrics: [Metric] {
    switch problem {
    case .classification: [.matthews, .accuracy, .f1, .macroF1]
    case .multilabel: [.microF1, .macroF1, .subsetAccuracy]
    case .regression: [.pearson, .spearman]
    case .tagging: [.entityF1, .entityPrecision, .entityRecall, .accuracy]
    case .span: Task.squad2.metrics
    }
  }
}
