import Platform

/// A sentence as words, with a tag for each word if the file has tags.
struct Sentence: Sendable, Equatable {
  var words: [String]
  /// A tag for each word; empty if tags are unknown.
  var tags: [String]
}

/// Reads sentences from a file with one word per line (CoNLL), or from JSON objects with a list of
/// words and a list of tags.
///
/// Columns are separated by tabs if the line has a tab, otherwise by blanks. A blank line ends a
/// sentence, and so does a line that begins or ends a document. CoNLL-U is recognised by its
/// content (`CoNLLU`).
struct SentenceReader {
  private let file: TextFile
  private var columns: WordColumns
  /// Whether the file may have no tags: it is a test file.
  private let tagsAreOptional: Bool
  private let emptyLabels: EmptyLabels
  private var sentences: [Sentence] = []
  private var current = Sentence(words: [], tags: [])
  /// For each skipped sentence, the line of its first word without a tag.
  private var emptyLines: [Int] = []
  /// The line of the first word without a tag in the current sentence.
  private var emptyLine: Int?
  /// The line at which the file is truncated.
  private var cutLine: Int?

  /// Reads the sentences of a file.
  ///
  /// Sentences with an empty tag are skipped if `emptyLabels` says so; `emptyLines` has a line of
  /// each. A CoNLL-U file may be truncated inside its last line, `cutLine`; the last sentence is
  /// then skipped. In a test file (`tagsAreOptional`) no sentence is skipped for its tags: its tags
  /// are unknown. Throws `emptyLabel`, `shortRow`, `badField`, `notJSON` and `notUTF8`.
  static func sentences(
    _ file: TextFile, _ columns: WordColumns, tagsAreOptional: Bool, _ emptyLabels: EmptyLabels
  ) throws -> (sentences: [Sentence], emptyLines: [Int], cutLine: Int?) {
    var reader = SentenceReader(
      file: file, columns: columns, tagsAreOptional: tagsAreOptional, emptyLabels: emptyLabels)
    try file.holdsObjects ? reader.readObjects() : reader.readLines()
    return (reader.sentences, reader.emptyLines, reader.cutLine)
  }

  private init(
    file: TextFile, columns: WordColumns, tagsAreOptional: Bool, emptyLabels: EmptyLabels
  ) {
    self.file = file
    self.columns = columns
    self.tagsAreOptional = tagsAreOptional
    self.emptyLabels = emptyLabels
  }

  private mutating func readLines() throws {
    let conllu = CoNLLU(file)
    if let conllu { columns = conllu.resolving(columns) }
    var hasTags: Bool?
    var shortRow: FinetuningError?
    try file.forEachLine { number, line in
      // A short row is an error after all if another line follows it.
      if let shortRow { throw shortRow }
      let fields = Self.fields(line)
      if fields.isEmpty || Self.isDocumentBoundary(line) { return endSentence() }
      if let conllu, CoNLLU.isComment(line) || !conllu.isWord(fields) { return }
      // The first word decides whether a test file has tags.
      let hasTagsHere = hasTags ?? (!tagsAreOptional || fields.count >= needed(hasTag: true))
      hasTags = hasTagsHere
      do {
        try add(fields, hasTag: hasTagsHere, line: number)
      } catch let error as FinetuningError {
        // CoNLL-U rows have all columns, so a short last row without a line end means a truncated
        // file.
        guard conllu != nil, case .shortRow = error, !file.endsWithLineEnd else { throw error }
        (shortRow, cutLine) = (error, number)
      }
    }
    if cutLine == nil { endSentence() }
  }

  private static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    if line.isBlank { return [] }
    return line.contains(UInt8(ascii: "\t"))
      ? line.tabSeparated : line.split(separator: UInt8(ascii: " "))
  }

  /// Whether a line begins or ends a document, in the format of CoNLL-2003 or CoNLL-2012.
  private static func isDocumentBoundary(_ line: ArraySlice<UInt8>) -> Bool {
    ["-DOCSTART-", "#begin document", "#end document"].contains { line.starts(with: $0.utf8) }
  }

  /// The smallest number of columns of a valid line.
  private func needed(hasTag: Bool) -> Int {
    let indices = hasTag ? [columns.word, columns.tag] : [columns.word]
    return max(indices.map { $0 < 0 ? -$0 : $0 + 1 }.max() ?? 1, indices.count)
  }

  private mutating func add(
    _ fields: [ArraySlice<UInt8>], hasTag: Bool, line: Int
  ) throws {
    let needed = needed(hasTag: hasTag)
    guard fields.count >= needed else {
      throw FinetuningError.shortRow(
        path: file.path, line: line, found: fields.count, needed: needed)
    }
    func text(_ index: Int) throws -> String {
      try file.text(fields[index < 0 ? fields.count + index : index].trimmed, line: line)
    }
    current.words.append(try text(columns.word))
    if !hasTag { return }
    let tag = try text(columns.tag)
    if tag.isEmpty {
      if emptyLabels == .stop && !tagsAreOptional {
        throw FinetuningError.emptyLabel(path: file.path, line: line)
      }
      emptyLine = emptyLine ?? line
    }
    current.tags.append(tag)
  }

  private mutating func endSentence() {
    if let emptyLine, !tagsAreOptional {
      emptyLines.append(emptyLine)
    } else if emptyLine != nil {
      sentences.append(Sentence(words: current.words, tags: []))
    } else if !current.words.isEmpty {
      sentences.append(current)
    }
    current = Sentence(words: [], tags: [])
    emptyLine = nil
  }

  private mutating func readObjects() throws {
    try file.forEachObject { number, object in
      func list(_ field: String, _ count: Int?) throws(FinetuningError) -> [String] {
        let texts = object[field]?.texts
        guard let texts, count == nil || count == texts.count else {
          let wanted = count.map { "a list of \($0) texts" } ?? "a list of texts"
          throw .badField(path: file.path, line: number, field: field, wanted: wanted)
        }
        return texts
      }
      // An index does not select a field; the default names apply instead.
      func name(_ field: String, standard: String) -> String {
        object[field] == nil && WordColumns.index(field) != nil ? standard : field
      }
      let words = try list(name(columns.wordField, standard: "tokens"), nil)
      let tagField = name(columns.tagField, standard: "tags")
      let isUntagged = tagsAreOptional && object[tagField] == nil
      var tags = isUntagged ? [] : try list(tagField, words.count)
      if tags.contains("") && tagsAreOptional { tags = [] }
      if tags.contains("") {
        if emptyLabels == .stop { throw FinetuningError.emptyLabel(path: file.path, line: number) }
        return emptyLines.append(number)
      }
      // Predictions have one line for each line of a test file, also for a line without words.
      if !words.isEmpty || tagsAreOptional {
        sentences.append(Sentence(words: words, tags: tags))
      }
    }
  }
}
