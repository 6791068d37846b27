extension Task {
  /// The built-in tasks: GLUE with its diagnostic set, SQuAD, chunking and named-entity
  /// recognition.
  ///
  /// Files and columns are those of the downloads. Lengths, scales and pair orders follow the
  /// reference, epochs the paper.
  package static let all: [Task] = [
    cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, ax, squad1, squad2, chunking, ner,
  ]

  private static let cola = Task(
    name: "cola", title: "CoLA", problem: .classification,
    splits: [
      .init("train", .training, "train.tsv", colaColumns),
      .init("dev", .development, "dev.tsv", colaColumns),
      .init("test", .test, "test.tsv", .texts("sentence", label: nil, index: "index"), "CoLA.tsv"),
    ],
    labels: ["0", "1"], metrics: [.matthews, .accuracy])

  /// CoLA's files have no header; their columns are source, label, acceptability mark and sentence.
  private static let colaColumns = Layout.table(Columns(first: .number(3), label: .number(1)))

  private static let sst2 = Task(
    name: "sst2", title: "SST-2", problem: .classification,
    splits: glue(.texts("sentence"), submission: "SST-2.tsv"),
    labels: ["0", "1"], metrics: [.accuracy])

  private static let mrpc = Task(
    name: "mrpc", title: "MRPC", problem: .classification,
    splits: glue(paraphrases, submission: "MRPC.tsv") + [
      // Microsoft's release: GLUE's dev set are the rows that dev_ids.tsv lists.
      .init("train", .training, "msr_paraphrase_train.txt", paraphrases, rows: .notListed),
      .init("dev", .development, "msr_paraphrase_train.txt", paraphrases, rows: .listed),
      .init("test", .test, "msr_paraphrase_test.txt", paraphrases, "MRPC.tsv"),
    ],
    labels: ["0", "1"], metrics: [.accuracy, .f1], bothOrders: true)

  private static let paraphrases = Layout.texts("#1 String", "#2 String", label: "Quality")

  private static let stsb = Task(
    name: "stsb", title: "STS-B", problem: .regression,
    splits: glue(.texts("sentence1", "sentence2", label: "score"), submission: "STS-B.tsv"),
    metrics: [.spearman, .pearson], epochs: 10, bothOrders: true, scoreScale: 5, scoreRange: 0...5)

  private static let qqp = Task(
    name: "qqp", title: "QQP", problem: .classification,
    splits: glue(
      .texts("question1", "question2", label: "is_duplicate"), index: "id", submission: "QQP.tsv"),
    labels: ["0", "1"], metrics: [.accuracy, .f1], skipsShortRows: true)

  private static let mnli = Task(
    name: "mnli", title: "MNLI", problem: .classification,
    splits: [
      .init("train", .training, "train.tsv", inferences),
      .init("dev", .development, "dev_matched.tsv", inferences),
      .init("dev_mismatched", .development, "dev_mismatched.tsv", inferences),
      .init("test_matched", .test, "test_matched.tsv", unlabelledPairs, "MNLI-m.tsv"),
      .init("test_mismatched", .test, "test_mismatched.tsv", unlabelledPairs, "MNLI-mm.tsv"),
    ] + diagnostic(folders: ["", "../diagnostic/", "../AX/"]),
    labels: inferenceLabels, metrics: [.accuracy])

  private static let inferences = Layout.texts("sentence1", "sentence2", label: "gold_label")
  private static let inferenceLabels = ["contradiction", "entailment", "neutral"]
  private static let unlabelledPairs = Layout.texts(
    "sentence1", "sentence2", label: nil, index: "index")

  private static let qnli = Task(
    name: "qnli", title: "QNLI", problem: .classification,
    splits: glue(.texts("question", "sentence"), submission: "QNLI.tsv"),
    labels: ["entailment", "not_entailment"], metrics: [.accuracy])

  private static let rte = Task(
    name: "rte", title: "RTE", problem: .classification,
    splits: glue(.texts("sentence1", "sentence2"), submission: "RTE.tsv"),
    labels: ["entailment", "not_entailment"], metrics: [.accuracy], epochs: 10)

  private static let wnli = Task(
    name: "wnli", title: "WNLI", problem: .classification,
    splits: glue(.texts("sentence1", "sentence2"), submission: "WNLI.tsv"),
    labels: ["0", "1"], metrics: [.accuracy])

  /// The diagnostic set, predicted by a model of MNLI; only the full file has labels.
  private static let ax = Task(
    name: "ax", title: "AX", problem: .classification,
    splits: [
      .init(
        "dev", .development, "diagnostic-full.tsv", .texts("Premise", "Hypothesis", label: "Label"))
    ] + diagnostic(folders: [""]),
    labels: inferenceLabels, metrics: [.matthews, .accuracy])

  private static func diagnostic(folders: [String]) -> [TaskSplit] {
    let files = folders.flatMap { [$0 + "diagnostic.tsv", $0 + "AX.tsv"] }
    return [TaskSplit("diagnostic", .test, files, unlabelledPairs, "AX.tsv")]
  }

  private static let squad1 = squad("1.1", metrics: [.exactMatch, .answerF1])
  static let squad2 = squad(
    "2.0",
    metrics: [
      .exactMatch, .answerF1, .hasAnswerExactMatch, .hasAnswerF1, .noAnswerAccuracy,
      .bestExactMatch, .bestAnswerF1, .bestNullThreshold,
    ])

  private static func squad(_ version: String, metrics: [Metric]) -> Task {
    Task(
      name: "squad" + version.prefix(1), title: "SQuAD " + version, problem: .span,
      splits: [
        .init("train", .training, "train-v\(version).json", .questions),
        .init("dev", .development, "dev-v\(version).json", .questions),
        .init("test", .test, "test-v\(version).json", .questions),
      ],
      metrics: metrics, epochs: 2, maximumLength: 512, allowsNoAnswer: version == "2.0")
  }

  /// CoNLL-2000 has no dev set: the test set is used instead, as in the reference's table.
  private static let chunking = Task(
    name: "chunking", title: "Chunking", problem: .tagging,
    splits: [
      .init("train", .training, ["train.txt"], taggedWords),
      .init("dev", .development, ["dev.txt", "test.txt"], taggedWords),
    ],
    metrics: [.entityF1, .entityPrecision, .entityRecall, .accuracy], maximumLength: 256,
    learnsBIOES: true)

  /// Named-entity recognition, with the files of CoNLL-2003 and of WNUT-17.
  private static let ner = Task(
    name: "ner", title: "NER", problem: .tagging,
    splits: [
      .init("train", .training, ["train.txt", "eng.train", "wnut17train.conll"], taggedWords),
      .init(
        "dev", .development,
        ["dev.txt", "valid.txt", "eng.testa", "emerging.dev.conll"], taggedWords),
      .init(
        "test", .test,
        ["test.txt", "eng.testb", "emerging.test.annotated", "emerging.test.conll"], taggedWords),
    ],
    metrics: [.entityF1, .entityPrecision, .entityRecall, .accuracy], maximumLength: 256)

  private static let taggedWords = Layout.words(WordColumns(word: 0, tag: -1))

  /// The splits of most tasks of GLUE; the test file has an index column instead of a label column.
  private static func glue(
    _ layout: Layout, index: String = "index", submission: String
  ) -> [TaskSplit] {
    guard case .table(var columns) = layout else { return [] }
    columns.label = nil
    columns.index = .named(index)
    return [
      .init("train", .training, "train.tsv", layout),
      .init("dev", .development, "dev.tsv", layout),
      .init("test", .test, "test.tsv", .table(columns), submission),
    ]
  }
}

extension Layout {
  /// A table with a header.
  fileprivate static func texts(
    _ first: String, _ second: String? = nil, label: String? = "label", index: String? = nil
  ) -> Layout {
    .table(
      Columns(
        first: .named(first), second: second.map(Column.named), label: label.map(Column.named),
        index: index.map(Column.named)))
  }
}

extension TaskSplit {
  fileprivate init(
    _ name: String, _ role: SplitRole, _ file: String, _ layout: Layout,
    _ submission: String? = nil, rows: Rows = .all
  ) {
    self.init(name, role, [file], layout, submission, rows: rows)
  }

  fileprivate init(
    _ name: String, _ role: SplitRole, _ files: [String], _ layout: Layout,
    _ submission: String? = nil, rows: Rows = .all
  ) {
    self.init(
      name: name, role: role, files: files, layout: layout, submission: submission, rows: rows)
  }
}
