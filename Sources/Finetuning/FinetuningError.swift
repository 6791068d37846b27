/// What can be wrong with a task, its files and its answers.
package enum FinetuningError: Error, Equatable, CustomStringConvertible {
  case unknownTask(name: String, known: [String])
  /// No file of a split is in the folder.
  case missingFile(split: String, task: String, folder: String, names: [String])
  case noExamples(path: String)
  case notJSON(path: String, line: Int)
  case missingColumn(path: String, column: String, header: [String])
  case doubledColumn(path: String, column: String)
  case shortRow(path: String, line: Int, found: Int, needed: Int)
  /// A field of a JSON line is absent or of another type.
  case badField(path: String, line: Int, field: String, wanted: String)
  /// A row without label, or a word without tag.
  case emptyLabel(path: String, line: Int)
  case unknownLabel(path: String, line: Int, label: String, known: [String])
  /// A plain line that lacks the tab before the second text.
  case noSecondText(path: String, line: Int, wanted: String)
  case notANumber(path: String, line: Int, text: String)
  case noLabels(path: String)
  case oneClass(path: String, label: String)
  case malformedQuestions(path: String, reason: String)
  /// A question without an answer, of a task in which each has one.
  case noAnswer(path: String, question: String, task: String)
  case lengthTooSmall(length: Int, needed: Int, task: String)

  package var description: String {
    switch self {
    case .unknownTask(let name, let known):
      "there is no task \(name); the tasks are \(known.joined(separator: ", "))"
    case .missingFile(let split, let task, _, let names) where names.isEmpty:
      "\(task) has no \(split) data of its own; a model of another task answers it, with predict --task"
    case .missingFile(let split, let task, let folder, let names):
      "\(folder) has no \(split) file of \(task); it would be called "
        + names.joined(separator: " or ")
    case .noExamples(let path): "there are no examples in \(path)"
    case .notJSON(let path, let line): "\(path), line \(line): not a JSON object"
    case .missingColumn(let path, let column, let header):
      "\(path) has no column \(column); its columns are \(header.joined(separator: ", "))"
    case .doubledColumn(let path, let column): "\(path) has two columns \(column); rename one"
    case .shortRow(let path, let line, let found, let needed):
      "\(path), line \(line): \(found) columns where \(needed) are needed"
    case .badField(let path, let line, let field, let wanted):
      "\(path), line \(line): the field \"\(field)\" is absent or is not \(wanted)"
    case .emptyLabel(let path, let line):
      "\(path), line \(line): the label is empty; fill it in, or leave such examples out with "
        + "--empty-labels skip"
    case .unknownLabel(let path, let line, let label, let known):
      "\(path), line \(line): the label \"\(label)\" is none of "
        + known.prefix(10).joined(separator: ", ")
        + (known.count > 10 ? " and \(known.count - 10) more" : "")
    case .noSecondText(let path, let line, let wanted):
      "\(path), line \(line): no tab; a line is \(wanted), with a tab between the two"
    case .notANumber(let path, let line, let text):
      "\(path), line \(line): the score \"\(text)\" is not a number"
    case .noLabels(let path):
      "\(path) has no labels, and there is no model to give them"
    case .oneClass(let path, let label):
      "every example of \(path) has the label \"\(label)\"; training needs at least two"
    case .malformedQuestions(let path, let reason): "\(path) is not SQuAD's JSON: \(reason)"
    case .noAnswer(let path, let question, let task):
      "\(path): the question \(question) has no answer, and in \(task) every question has one; "
        + "squad2 is the task with questions that have none"
    case .lengthTooSmall(let length, let needed, let task):
      "sequences of \(length) tokens are too short for \(task), which needs \(needed)"
    }
  }
}
