extension Task {
  /// A task of the user's own, told by its columns alone; labels are those of the training data.
  ///
  ///     let task = Task.own(.classification, .table(Columns(first: .named("text"),
  ///       label: .named("label"))))
  ///     let train = try reader.read(task.file(.training, at: "reviews.jsonl"))
  ///
  /// In a folder the files are called `train`, `dev` and `test`, with `.tsv`, `.jsonl`, `.txt`, `.conll` or
  /// `.json`.
  package static func own(_ problem: Problem, _ layout: Layout) -> Task {
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
    case .regression: [.spearman, .pearson]
    case .tagging: [.entityF1, .entityPrecision, .entityRecall, .accuracy]
    case .span: squad2.metrics
    }
  }
}

extension Column {
  /// As the user writes it: a number is a place from 0 in a file without header, anything else the
  /// name in the header or the field of JSON lines.
  package init(_ text: String) {
    if let place = WordColumns.place(text), place >= 0 {
      self = .number(place)
    } else {
      self = .named(text)
    }
  }
}

extension WordColumns {
  /// The place that a user writes: from 0, or from the end if it is negative; nil for a name.
  package static func place(_ text: String) -> Int? {
    Int(text).flatMap { (-1_000_000...1_000_000).contains($0) ? $0 : nil }
  }
}
