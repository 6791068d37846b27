import ArgumentParser
import Finetuning
import Foundation
import Models
import Platform
import Runs

/// Which task, and where its files are.
struct TaskOptions: ParsableArguments {
  @Argument(
    help: """
      cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, squad1, squad2, chunking, ner, or own for \
      files of your own.
      """)
  var task: String

  @Option(help: "The folder of the task's files, as they are given out: train.tsv, dev.tsv...")
  var data: String?

  @Option(help: "The training file, where it is not the folder's.")
  var train: String?

  @Option(help: "The file whose scores choose the best epoch, where it is not the folder's.")
  var dev: String?

  @Option(help: "A file to answer at the end, where it is not the folder's.")
  var test: String?

  @Option(
    help: "Of own: classification, regression, tagging or span (a question and a passage).")
  var problem: Problem?

  @Option(
    help: """
      Of own: the column of the text: its name in the header or in JSON lines, or its place from 0 \
      in a file without header. For tagging, the column of the words, in CoNLL-U by name too.
      """)
  var text = "text"

  @Option(help: "Of own: the column of the second text of a pair.")
  var text2: String?

  @Option(help: "Of own: the column of the label, score or tag.")
  var label = "label"

  @OptionGroup var emptyLabels: EmptyLabelOption

  func validate() throws {
    if task != "own" && (problem != nil || text2 != nil || text != "text" || label != "label") {
      throw ValidationError("--problem, --text, --text2 and --label belong to the task own")
    }
    if problem == .tagging && text2 != nil {
      throw ValidationError("--text2 is for pairs; tagging has words and tags alone")
    }
    if problem == .span && (text2 != nil || text != "text" || label != "label") {
      throw ValidationError(
        "--text, --text2 and --label are for columns; questions are read as SQuAD's JSON has them")
    }
    if data == nil && (train == nil || dev == nil) {
      throw ValidationError("give --data, or both --train and --dev")
    }
  }

  /// The task that is meant.
  func resolve() throws -> Task {
    guard task == "own" else { return try Task.named(task) }
    let problem = problem ?? .classification
    switch problem {
    case .classification, .regression:
      return .custom(
        problem,
        .table(
          Columns(
            first: Column(text), second: text2.map { Column($0) }, label: Column(label))))
    case .tagging:
      return .custom(
        problem,
        .words(
          WordColumns(
            word: WordColumns.index(text) ?? 0, tag: WordColumns.index(label) ?? -1,
            wordField: text == "text" ? "tokens" : text,
            tagField: label == "label" ? "tags" : label)))
    case .span: return .custom(problem, .questions)
    }
  }

  /// The task with its files, to be learnt by the encoder at `path`.
  func request(from path: String, isScratch: Bool = false, head: HeadStyle = .transformers) throws
    -> FinetuningRequest
  {
    let task = try resolve()
    return FinetuningRequest(
      task: task, files: { try files($0, of: task) }, encoder: path, isScratch: isScratch,
      head: head, emptyLabels: emptyLabels.emptyLabels)
  }

  /// The files of a role.
  ///
  /// Throws `FinetuningError.missingFile` when training or dev files are wanted and none is there.
  private func files(_ role: SplitRole, of task: Task) throws -> [TaskFile] {
    let named =
      switch role {
      case .training: train
      case .development: dev
      case .test: test
      }
    if let named { return [try checked(task.file(role, at: named))] }
    guard let data else { return [] }
    guard FileManager.default.fileExists(atPath: data) else {
      throw FileError.unreadable(path: data, reason: "there is no such folder")
    }
    let found = task.files(in: data).filter { $0.split.role == role }
    if found.isEmpty && role != .test { _ = try task.file(role, in: data) }
    return try found.map(checked)
  }

  /// The file itself, unless its columns of words have no names and options give some.
  private func checked(_ file: TaskFile) throws -> TaskFile {
    guard problem == .tagging else { return file }
    for (option, value, usual) in [("--text", text, "text"), ("--label", label, "label")]
    where value != usual && WordColumns.index(value) == nil {
      if try file.hasColumn(named: value) { continue }
      throw UsageError(
        "\(file.path) has columns without names; give the place of \(option) \(value), the first "
          + "being 0 and the last -1")
    }
    return file
  }
}

/// What is done with examples without label.
struct EmptyLabelOption: ParsableArguments {
  @Option(help: "Where a label is empty: stop, naming the line, or skip the example and count it.")
  var emptyLabels = EmptyLabels.stop
}

extension EmptyLabels: ExpressibleByArgument {}
extension Problem: ExpressibleByArgument {}
extension HeadStyle: ExpressibleByArgument {}
