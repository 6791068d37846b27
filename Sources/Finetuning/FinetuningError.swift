/// The errors of tasks and their files.
///
/// Each message names the file, the line or field, and what was expected.
package enum FinetuningError: Error, Equatable, CustomStringConvertible {
  case unknownTask(name: String, known: [String])
  /// The folder has no file of a split; `names` are empty if the task has no such split.
  case missingFile(split: String, task: String, folder: String, names: [String])
  case noExamples(path: String)
  case notJSON(path: String, line: Int)
  case missingColumn(path: String, column: String, header: [String])
  case duplicateColumn(path: String, column: String)
  case shortRow(path: String, line: Int, found: Int, needed: Int)
  /// A quotation mark of a CSV file that opens a field on this line and is not closed.
  case openQuote(path: String, line: Int)
  case textAfterQuote(path: String, line: Int)
  /// A record of a CSV file with another number of fields than the first.
  case fieldCount(path: String, line: Int, found: Int, expected: Int)
  /// A field of a JSON line is absent or has another type.
  case badField(path: String, line: Int, field: String, wanted: String)
  /// A row without a label, or a word without a tag.
  case emptyLabel(path: String, line: Int)
  case unknownLabel(path: String, line: Int, label: String, known: [String])
  /// A line of plain text without a tab between two texts.
  case noSecondText(path: String, line: Int, wanted: String)
  /// A part of `--class-weights` that cannot be used.
  case classWeight(String, reason: String)
  case notANumber(path: String, line: Int, text: String)
  case noLabels(path: String)
  /// All examples of the training data have the same label.
  case oneClass(path: String, label: String)
  case malformedQuestions(path: String, reason: String)
  /// A question without an answer, in a task where every question has one.
  case noAnswer(path: String, question: String, task: String)
  case lengthTooSmall(length: Int, needed: Int, task: String)

  package var description: String {
    switch self {
    case .unknownTask(let name, let known):
      "there is no task \(name); the tasks are \(known.joined(separator: ", "))"
    case .missingFile(let split, let task, _, let names) where names.isEmpty:
      "\(task) has no \(split) data; predict it with a model of another task (predict --task)"
    case .missingFile(let split, let task, let folder, let names):
      "\(folder) has no \(split) file of \(task); expected "
        + names.joined(separator: " or ")
    case .noExamples(let path): "there are no examples in \(path)"
    case .notJSON(let path, let line): "\(path), line \(line): not a JSON object"
    case .missingColumn(let path, let column, let header):
      "\(path) has no column \(column); its columns are \(header.joined(separator: ", "))"
    case .duplicateColumn(let path, let column): "\(path) has two columns \(column); rename one"
    case .shortRow(let path, let line, let found, let needed):
      "\(path), line \(line): \(found) columns where \(needed) are needed"
    case .openQuote(let path, let line):
      "\(path), line \(line): the field that begins here with a quotation mark is not closed"
    case .textAfterQuote(let path, let line):
      "\(path), line \(line): text after a closing quotation mark; inside a quoted field, write a "
        + "quotation mark twice"
    case .fieldCount(let path, let line, let found, let expected):
      "\(path), line \(line): \(found) fields where the first row has \(expected); put quotation "
        + "marks around a field with commas"
    case .badField(let path, let line, let field, let wanted):
      "\(path), line \(line): the field \"\(field)\" is absent or is not \(wanted)"
    case .emptyLabel(let path, let line):
      "\(path), line \(line): the label is empty; add it, or skip examples without a label with "
        + "--empty-labels skip"
    case .unknownLabel(let path, let line, let label, let known):
      "\(path), line \(line): the label \"\(label)\" is not one of "
        + known.prefix(10).joined(separator: ", ")
        + (known.count > 10 ? " and \(known.count - 10) more" : "")
    case .noSecondText(let path, let line, let wanted):
      "\(path), line \(line): no tab; a line is \(wanted), separated by a tab"
    case .classWeight(let word, let reason): "--class-weights \(word): \(reason)"
    case .notANumber(let path, let line, let text):
      "\(path), line \(line): the score \"\(text)\" is not a number"
    case .noLabels(let path):
      "\(path) has no labels, and no model is given that defines them"
    case .oneClass(let path, let label):
      "every example of \(path) has the label \"\(label)\"; training needs at least two"
    case .malformedQuestions(let path, let reason): "\(path) is not SQuAD's JSON: \(reason)"
    case .noAnswer(let path, let question, let task):
      "\(path): the question \(question) has no answer, and in \(task) every question has one; "
        + "use squad2 for questions without an answer"
    case .lengthTooSmall(let length, let needed, let task):
      "sequences of \(length) tokens are too short for \(task), which needs \(needed)"
    }
  }
}
