import Platform
import Tokenization

/// Reads a task's files into encoded sequences.
package struct ExampleReader: Sendable {
  package let task: Task
  package let tokenizer: Tokenizer
  /// The largest sequence length in tokens, including special tokens.
  package let maximumLength: Int
  private let emptyLabels: EmptyLabels
  private let encoder: TextEncoder

  /// Creates a reader; `maximumLength` defaults to the task's and must not exceed the model's.
  ///
  /// Throws `lengthTooSmall`.
  package init(
    _ task: Task, tokenizer: Tokenizer, maximumLength: Int? = nil, emptyLabels: EmptyLabels = .stop
  ) throws(FinetuningError) {
    self.emptyLabels = emptyLabels
    self.task = task
    self.tokenizer = tokenizer
    self.maximumLength = maximumLength ?? task.maximumLength
    encoder = try TextEncoder(
      tokenizer: tokenizer, maximumLength: self.maximumLength, task: task.title)
  }

  /// Reads the examples of a file.
  ///
  /// `labels` are the labels of the model or of the training data. They default to the task's
  /// labels, or are inferred from the file if the task has none. Throws `FinetuningError`, which
  /// names file and line, and what `TextFile` throws.
  package func read(_ file: TaskFile, labels: LabelSet? = nil) throws -> ExampleSet {
    let labels = labels ?? (task.labels.isEmpty ? nil : LabelSet(task.labels))
    let set =
      switch file.split.layout {
      case .table(let columns): try readTable(file, columns, labels)
      case .words(let columns): try readSentences(file, columns, labels)
      case .questions: try readPassages(file)
      }
    if set.examples.isEmpty { throw FinetuningError.noExamples(path: file.path) }
    if set.outputCount == 0 { throw FinetuningError.noLabels(path: file.path) }
    return set
  }

  // MARK: Texts and pairs

  private func readTable(
    _ file: TaskFile, _ columns: Columns, _ labels: LabelSet?
  ) throws -> ExampleSet {
    let rows = try TextRows(file, columns, of: task, emptyLabels: emptyLabels)
    let names = rows.rows.compactMap(\.labels)
    let labels =
      task.problem == .regression
      ? LabelSet([]) : labels ?? LabelSet(inferredFrom: names.joined())
    var notes = ReadingNotes(shortLines: rows.shortLines, emptyLabels: rows.emptyLines)
    if !names.isEmpty { notes.unlabelled = rows.rows.count - names.count }
    var examples: [EncodedExample] = []
    let bothOrders = task.bothOrders && file.split.role == .training
    for row in rows.rows {
      let target = try target(of: row, labels, path: file.path)
      let (example, removed) = encoder.encode(row.first, row.second, target: target)
      examples.append(example)
      if removed > 0 { notes.truncated += 1 }
      if bothOrders, let second = row.second {
        examples.append(encoder.encode(second, row.first, target: target).example)
      }
    }
    if file.split.role == .training { try expectTwoClasses(rows.rows, path: file.path) }
    return ExampleSet(
      task: task, split: file.split, path: file.path, labels: labels, examples: examples,
      notes: notes, source: .rows(rows.rows.map(\.index)))
  }

  /// Throws `oneClass` if all rows have the same label, score or set of labels.
  private func expectTwoClasses(
    _ rows: [TextRows.Row], path: String
  ) throws(FinetuningError) {
    // Scores may be written differently and still be equal: 1 and 1.0. No label at all is
    // `noLabels`.
    let isRegression = task.problem == .regression
    guard let first = rows.first?.labels, let name = first.first else { return }
    let (names, score) = (Set(first), Float(name))
    let isOneClass = rows.allSatisfy { row in
      guard let labels = row.labels else { return false }
      return isRegression ? Float(labels[0]) == score : Set(labels) == names
    }
    guard isOneClass else { return }
    throw .oneClass(path: path, label: first.joined(separator: ","))
  }

  private func target(
    of row: TextRows.Row, _ labels: LabelSet, path: String
  ) throws(FinetuningError) -> Target {
    guard let written = row.labels else { return .none }
    if task.problem == .regression {
      guard let score = Float(written[0]), score.isFinite else {
        throw .notANumber(path: path, line: row.line, text: written[0])
      }
      return .score(score / task.scoreScale)
    }
    var indices: Set<Int> = []
    for label in written {
      guard let index = labels.index(of: label) else {
        throw .unknownLabel(path: path, line: row.line, label: label, known: labels.names)
      }
      indices.insert(index)
    }
    let sorted = indices.sorted()
    return task.problem == .multilabel ? .labels(sorted) : .label(sorted[0])
  }

  // MARK: Tags

  private func readSentences(
    _ file: TaskFile, _ columns: WordColumns, _ labels: LabelSet?
  ) throws -> ExampleSet {
    let (sentences, emptyLines, cutLine) = try SentenceReader.sentences(
      TextFile(file), columns, tagsAreOptional: file.split.role == .test, emptyLabels)
    let tags = Set(sentences.flatMap(\.tags))
    if file.split.role == .training && tags.count == 1 {
      throw FinetuningError.oneClass(path: file.path, label: tags.first ?? "")
    }
    let marksEnds = Tags.markEnds(Array(tags))
    let converts = task.learnsBIOES && !marksEnds && Tags.areEntityTags(Array(tags))
    let targetTags = sentences.map { sentence in
      converts
        ? Tags.tags(
          of: Tags.entities(sentence.tags), count: sentence.tags.count, bioes: true)
        : sentence.tags
    }
    let labels = labels ?? LabelSet(inferredFrom: targetTags.joined())
    var notes = ReadingNotes(emptyLabels: emptyLines)
    notes.cutLine = cutLine
    if !tags.isEmpty { notes.unlabelled = sentences.count { $0.tags.count != $0.words.count } }
    var pieces: [TagEncoder.Piece] = []
    var examples: [EncodedExample] = []
    let encoder = TagEncoder(tokenizer: tokenizer, maximumLength: maximumLength)
    for (number, (sentence, tags)) in zip(sentences, targetTags).enumerated() {
      let indices = tags.map { labels.index(of: $0).map(Int32.init) ?? -1 }
      notes.unknownTags += indices.count { $0 < 0 }
      for (piece, example) in encoder.encode(
        sentence, number: number, tags: sentence.tags.isEmpty ? nil : indices)
      {
        pieces.append(piece)
        examples.append(example)
      }
    }
    return ExampleSet(
      task: task, split: file.split, path: file.path, labels: labels, examples: examples,
      notes: notes, source: .sentences(sentences, pieces, marksEnds: marksEnds))
  }

  // MARK: Questions

  private func readPassages(_ file: TaskFile) throws -> ExampleSet {
    let passages = try Passage.all(in: TextFile(file))
    let encoder = QuestionEncoder(tokenizer: tokenizer, maximumLength: maximumLength)
    var notes = ReadingNotes()
    var questions: [Question] = []
    var passageNumbers: [Int] = []
    var windows: [QuestionEncoder.Window] = []
    var examples: [EncodedExample] = []
    let encoded = passages.map { EncodedPassage($0.text, by: tokenizer) }
    for (number, passage) in passages.enumerated() {
      for question in passage.questions {
        if question.answers.isEmpty && !task.allowsNoAnswer && file.split.role != .test {
          throw FinetuningError.noAnswer(
            path: file.path, question: question.identifier, task: task.name)
        }
        let answer = answer(to: question, in: encoded[number], role: file.split.role)
        if file.split.role == .training && answer == .unknown {
          notes.unreachable.append(question.identifier)
          continue
        }
        for (window, example) in encoder.encode(
          question.text, number: questions.count, passage: encoded[number], answer: answer)
        {
          windows.append(window)
          examples.append(example)
        }
        questions.append(question)
        passageNumbers.append(number)
      }
    }
    return ExampleSet(
      task: task, split: file.split, path: file.path, labels: LabelSet([]), examples: examples,
      notes: notes,
      source: .questions(
        QuestionSheet(
          questions: questions, passageNumbers: passageNumbers, passages: encoded,
          windows: windows, allowsNoAnswer: task.allowsNoAnswer)))
  }

  /// The first gold answer that occurs in the passage; unknown if none does.
  private func answer(
    to question: Question, in passage: EncodedPassage, role: SplitRole
  ) -> QuestionEncoder.Answer {
    if question.answers.isEmpty { return role == .test ? .unknown : .none }
    let found = question.answers.lazy.compactMap { passage.tokens(of: $0) }.first
    return found.map { .tokens($0) } ?? .unknown
  }
}

extension LabelSet {
  /// The distinct names in some data, sorted.
  ///
  /// Sorted as numbers if all names are integers, otherwise by their bytes with `O`, the tag
  /// outside entities, first. The order does not depend on the order of the data.
  init(inferredFrom names: some Sequence<String>) {
    let names = Array(Set(names))
    let numbers = names.compactMap { Int($0) }
    if numbers.count == names.count {
      self.init(zip(numbers, names).sorted { $0 < $1 }.map(\.1))
    } else {
      self.init(
        names.sorted { first, second in
          if (first == "O") != (second == "O") { return first == "O" }
          return first.utf8.lexicographicallyPrecedes(second.utf8)
        })
    }
  }
}
