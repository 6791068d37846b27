/// The kind of a prediction.
package enum Problem: String, Sendable, Codable, CaseIterable {
  /// One of several labels for a text or a pair of texts.
  case classification
  /// Any number of several labels for a text or a pair of texts.
  case multilabel
  /// A number for a text or a pair of texts.
  case regression
  /// A tag for each word of a sentence.
  case tagging
  /// The span of a passage that answers a question; in SQuAD 2.0 it may be empty.
  case span
}

/// A fine-tuning task: what is predicted, its files and their formats, and its metrics.
///
///     let task = try Task.named("mnli")
///     let files = task.files(in: "glue/MNLI")
///
/// `Task.all` lists the built-in tasks; `Task.custom` makes a task from a user's columns. A
/// fine-tuned model stores its task as JSON, with the names of these properties as keys.
package struct Task: Sendable, Equatable, Codable {
  /// The name on the command line, in lower case: `sst2`.
  package var name: String
  /// The name in tables, and of the folder in the GLUE download: `SST-2`.
  package var title: String
  package var problem: Problem
  /// The splits in the order in which they are read.
  ///
  /// Splits with the same name are alternatives: the first one with an existing file is used. The
  /// first split with the role `.development` selects the best epoch.
  package var splits: [TaskSplit]
  /// The labels in the order of the head's outputs; empty if they are inferred from the training
  /// data.
  package var labels: [String] = []
  /// The metrics; the first one selects the best epoch.
  package var metrics: [Metric]
  /// The paper's number of passes over the training data (ELECTRA, table 7).
  package var epochs: Double = 3
  /// The largest sequence length in tokens, including special tokens.
  package var maximumLength = 128
  /// Whether training uses each pair in both orders, as the reference does for MRPC and STS-B.
  package var bothOrders = false
  /// The divisor that turns a score into a regression target; the reference uses 5 for STS-B.
  package var scoreScale: Float = 1
  /// The range to which written scores are clipped; nil for no clipping.
  package var scoreRange: ClosedRange<Float>?
  /// Whether BIO tags are converted to BIOES for training, as the reference does for chunking.
  package var learnsBIOES = false
  /// Whether a question may have no answer, as in SQuAD 2.0.
  package var allowsNoAnswer = false
  /// Whether rows with too few columns are skipped and counted instead of rejected.
  ///
  /// The download of QQP has some.
  package var skipsShortRows = false
}

/// The purpose of a split.
package enum SplitRole: String, Sendable, Codable {
  case training, development, test
}

/// A split of a task's data: its file names and their format.
package struct TaskSplit: Sendable, Equatable, Codable {
  /// The name, such as `train`, `dev`, `dev_mismatched` or `test`.
  package var name: String
  package var role: SplitRole
  /// File names to look for in the task's folder, in this order; `.gz` or `.xz` may be appended,
  /// and `.tsv` also stands for `.csv`.
  package var files: [String]
  package var layout: Layout
  /// The name of the file of predictions that GLUE requires; nil if the split is not submitted.
  package var submission: String?
  package var rows = Rows.all

  /// Which rows of the file belong to the split.
  ///
  /// All, or only those whose pair of columns `#1 ID` and `#2 ID` is listed, or not listed, in
  /// `dev_ids.tsv`.
  package enum Rows: String, Sendable, Codable { case all, listed, notListed }
}

/// The format of a file of examples.
package enum Layout: Sendable, Equatable {
  /// A table with one example per row: tab-separated, comma-separated or JSON objects, recognised
  /// by file name or content.
  case table(Columns)
  /// One word per line with columns separated by blanks or tabs, and a blank line after each
  /// sentence (CoNLL, CoNLL-U); or JSON objects with a list of words and a list of tags.
  case words(WordColumns)
  /// SQuAD's JSON.
  case questions
}

/// The columns of a table that are read.
package struct Columns: Sendable, Equatable, Codable {
  /// The text, or the first of a pair.
  package var first: Column
  /// The second text of a pair.
  package var second: Column?
  /// The label or score; nil if the file has none.
  package var label: Column?
  /// The identifier that GLUE requires next to a prediction; nil to number rows from 0.
  package var index: Column?

  package init(
    first: Column, second: Column? = nil, label: Column? = nil, index: Column? = nil
  ) {
    self.first = first
    self.second = second
    self.label = label
    self.index = index
  }
}

/// A column: its name in the header, or its index from 0 in a file without a header.
package enum Column: Sendable, Equatable {
  case named(String)
  case number(Int)
}

/// The columns of a file of words.
package struct WordColumns: Sendable, Equatable, Codable {
  /// The index of the word's column from 0; a negative index counts from the end, -1 is the last.
  package var word: Int
  /// The index of the tag's column, like `word`.
  package var tag: Int
  /// The field of the list of words in JSON, or the name of the word's column in CoNLL-U.
  package var wordField: String
  /// The field of the list of tags in JSON, or the name of the tag's column in CoNLL-U.
  package var tagField: String

  package init(
    word: Int = 0, tag: Int = -1, wordField: String = "tokens", tagField: String = "tags"
  ) {
    self.word = word
    self.tag = tag
    self.wordField = wordField
    self.tagField = tagField
  }
}

extension Task {
  /// The task in `all` with this name; throws `unknownTask`.
  package static func named(_ name: String) throws(FinetuningError) -> Task {
    guard let task = all.first(where: { $0.name == name }) else {
      throw .unknownTask(name: name, known: all.map(\.name))
    }
    return task
  }
}
