/// What a head predicts.
package enum Problem: String, Sendable, Codable, CaseIterable {
  /// One of several labels for a text or a pair of texts.
  case classification
  /// A number for a text or a pair of texts.
  case regression
  /// A tag for each word of a sentence.
  case tagging
  /// A part of a passage that answers a question.
  case span
}

/// A task: what is predicted, where its files are and how they are read, how answers are measured.
///
///     let task = try Task.named("mnli")
///     let files = task.files(in: "glue/MNLI")
///
/// All tasks stand in one table, `Task.all`; a task of the user's own is a value of the same type.
/// The paper fine-tunes on them with the settings of its Table 7.
package struct Task: Sendable, Equatable, Codable {
  /// The name on the command line, in small letters: `sst2`.
  package var name: String
  /// The name in tables and of its folder in the GLUE download: `SST-2`.
  package var title: String
  package var problem: Problem
  /// The splits in the order of reading. Those with one name are alternatives: the first whose file
  /// is there counts. The first with the role `.development` chooses the best epoch.
  package var splits: [TaskSplit]
  /// The labels in the order of the head's outputs; empty where the training data tells them.
  package var labels: [String] = []
  /// What is measured; the first is the one that chooses the best epoch.
  package var metrics: [Metric]
  /// The paper's number of passes over the training data.
  package var epochs: Double = 3
  /// The longest sequence in tokens, special tokens counted.
  package var maximumLength = 128
  /// Whether training takes each pair in both orders, as the reference does for MRPC and STS-B.
  package var bothOrders = false
  /// A regression's target is the score divided by this, as the reference does with 5 for STS-B.
  package var scoreScale: Float = 1
  /// The range that written scores are clipped to; nil for none.
  package var scoreRange: ClosedRange<Float>?
  /// Whether tags are learnt as BIOES, whatever form the file has, as the reference does for chunks.
  package var learnsBIOES = false
  /// Whether a question may have no answer, as in SQuAD 2.0.
  package var allowsNoAnswer = false
  /// Whether rows without enough columns are passed over and counted instead of refused: the
  /// download of QQP has some.
  package var skipsShortRows = false
}

/// What a split is for.
package enum SplitRole: String, Sendable, Codable {
  case training, development, test
}

/// A file of a task and how it is laid out.
package struct TaskSplit: Sendable, Equatable, Codable {
  /// `train`, `dev`, `dev_mismatched`, `test` and the like.
  package var name: String
  package var role: SplitRole
  /// File names to look for in the task's folder, in this order; each may end in `.gz` too.
  package var files: [String]
  package var layout: Layout
  /// The name of the file in which GLUE wants the predictions; nil for none.
  package var submission: String?
  package var rows = Rows.all

  /// Which rows belong to the split: all, or those that `dev_ids.tsv` lists (or does not) by the
  /// pair of columns `#1 ID` and `#2 ID`.
  package enum Rows: String, Sendable, Codable { case all, listed, notListed }
}

/// How a file holds examples.
package enum Layout: Sendable, Equatable {
  /// A table with one example a row: tab-separated, or JSON lines, known by name or first line.
  case table(Columns)
  /// One word a line, its columns between blanks or tabs; a blank line ends a sentence.
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
  /// The label or score; nil where the file has none.
  package var label: Column?
  /// The number that GLUE wants beside a prediction; nil to count rows from 0.
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

/// A column by its name in the header, or by its place from 0 in a file without header.
package enum Column: Sendable, Equatable {
  case named(String)
  case number(Int)
}

/// The columns of a file of words: places from 0; negative ones count from the end. In JSON lines,
/// where a sentence is an object, the fields that hold the list of words and the list of tags.
package struct WordColumns: Sendable, Equatable, Codable {
  package var word = 0
  package var tag = -1
  package var wordField = "tokens"
  package var tagField = "tags"

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
  /// The task of the table with this name; throws `unknownTask`.
  package static func named(_ name: String) throws(FinetuningError) -> Task {
    guard let task = all.first(where: { $0.name == name }) else {
      throw .unknownTask(name: name, known: all.map(\.name))
    }
    return task
  }
}
