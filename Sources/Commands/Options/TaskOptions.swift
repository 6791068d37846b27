import ArgumentParser
import Finetuning
import Foundation
import Models
import Platform
import Runs

/// The task and its files.
struct TaskOptions: ParsableArguments {
  @Argument(
    help: """
      cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, squad1, squad2, chunking, ner, or own \
      for your own files.
      """)
  var task: String

  @Option(help: "The folder of the task's files as downloaded: train.tsv, dev.tsv and so on.")
  var data: String?

  @Option(help: "The training file, instead of the folder's.")
  var train: String?

  @Option(help: "The file whose scores choose the best epoch, instead of the folder's.")
  var dev: String?

  @Option(help: "A file to predict at the end, instead of the folder's.")
  var test: String?

  @Option(
    help: """
      Of own: classification (the default), multilabel, regression, tagging or span (a question \
      and a passage).
      """)
  var problem: Problem?

  @Option(
    help: """
      Of own: the column of the text, by name in the header or in JSON, or by number from 0 \
      in a file without header. For tagging, the column of the words, in CoNLL-U also by name.
      """)
  var text = "text"

  @Option(help: "Of own: the column of the second text of a pair.")
  var text2: String?

  @Option(help: "Of own: the column of the label, labels, score or tag.")
  var label = "label"

  @OptionGroup var emptyLabels: EmptyLabelOption

  @Option(
    help: """
      Cross-validation for small data: trains this many times, each time without another part of \
      the training file, which is then scored. There is no dev file.
      """)
  var folds: Int?

  func validate() throws {
    if let folds, folds < 2 { throw ValidationError("--folds must be at least 2, not \(folds)") }
    if folds != nil && dev != nil {
      throw ValidationError("--folds scores parts of the training file; omit --dev")
    }
    if task != "own" && (problem != nil || text2 != nil || text != "text" || label != "label") {
      throw ValidationError("--problem, --text, --text2 and --label belong to the task own")
    }
    if problem == .tagging && text2 != nil {
      throw ValidationError("--text2 is for pairs; tagging has only words and tags")
    }
    if problem == .span && (text2 != nil || text != "text" || label != "label") {
      throw ValidationError(
        "--text, --text2 and --label name columns; span reads SQuAD JSON, which has none")
    }
    if data == nil && (train == nil || dev == nil && folds == nil) {
      throw ValidationError("give --data, or both --train and --dev (or --folds)")
    }
  }

  /// The task of the argument; throws for an unknown name.
  func resolve() throws -> Task {
    guard task == "own" else { return try Task.named(task) }
    let problem = problem ?? .classification
    switch problem {
    case .classification, .multilabel, .regression:
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

  /// The request to fine-tune the encoder at `path` on the task.
  func request(from path: String, isScratch: Bool = false, head: HeadStyle = .transformers) throws
    -> FinetuningRequest
  {
    let task = try resolve()
    var request = FinetuningRequest(
      task: task, files: { try files($0, of: task) }, encoder: path, isScratch: isScratch,
      head: head)
    (request.emptyLabels, request.folds) = (emptyLabels.emptyLabels, folds)
    return request
  }

  /// The files of a role; none only for the test role.
  ///
  /// Throws `FinetuningError.missingFile` if there is no training or dev file.
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

  /// Returns the file; throws if an option names a column and the file has columns without names.
  private func checked(_ file: TaskFile) throws -> TaskFile {
    guard problem == .tagging else { return file }
    for (option, value, usual) in [("--text", text, "text"), ("--label", label, "label")]
    where value != usual && WordColumns.index(value) == nil {
      if try file.hasColumn(named: value) { continue }
      throw UsageError(
        "\(file.path) has columns without names; give \(option) \(value) as a number: 0 is the "
          + "first column and -1 the last")
    }
    return file
  }
}

/// The handling of examples without a label.
struct EmptyLabelOption: ParsableArguments {
  @Option(
    help: "What to do at an empty label: stop and name the line, or skip the example and count it.")
  var emptyLabels = EmptyLabels.stop
}

extension EmptyLabels: ExpressibleByArgument {}
extension Problem: ExpressibleByArgument {}
extension HeadStyle: ExpressibleByArgument {}
