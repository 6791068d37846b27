extension Task {
  /// A task that is defined by the columns of the user's files; labels are inferred from the
  /// training data.
  ///
  ///     let task = Task.custom(.classification, .table(Columns(first: .named("text"),
  ///       label: .named("label"))))
  ///     let train = try reader.read(task.file(.training, at: "reviews.jsonl"))
  ///
  /// In a folder the files are named `train`, `dev` and `test`, with the extension `.tsv`, `.csv`,
  /// `.jsonl`, `.txt`, `.conll` or `.json`. On the command line and in JSON the task's name is
  /// `own`.
  package static func custom(_ problem: Problem, _ layout: Layout) -> Task {
    let roles: [(String, SplitRole)] = [
      ("train", .training), ("dev", .development), ("test", .test),
    ]
    return Task(
      name: "own", title: "own", problem: problem,
      splits: roles.map { name, role in
        let files = [".tsv", ".jsonl", ".txt", ".conll", ".json"].map { name + $0 }
        return TaskSplit(name: name, role: role, files: files, layout: layout)
      },
      metrics: metrics(of: problem), maximumLength: problem == .span ? 512 : 128,
      allowsNoAnswer: problem == .span)
  }

  private static func metrics(of problem: Problem) -> [Metric] {
    switch problem {
    case .classification: [.accuracy, .macroF1, .matthews]
    case .multilabel: [.microF1, .macroF1, .subsetAccuracy]
    case .regression: [.spearman, .pearson]
    case .tagging: [.entityF1, .entityPrecision, .entityRecall, .accuracy]
    case .span: squad2.metrics
    }
  }
}

extension Column {
  /// Parses a column as the user writes it.
  ///
  /// A number is an index from 0 in a file without a header. Anything else is a name in the header
  /// or a field of JSON.
  package init(_ text: String) {
    if let index = WordColumns.index(text), index >= 0 {
      self = .number(index)
    } else {
      self = .named(text)
    }
  }
}

extension WordColumns {
  /// The index that a user writes, from 0, or from the end if it is negative; nil for a name.
  ///
  /// Numbers beyond a million count as names, so that arithmetic with an index cannot overflow.
  package static func index(_ text: String) -> Int? {
    Int(text).flatMap { (-1_000_000...1_000_000).contains($0) ? $0 : nil }
  }
}
