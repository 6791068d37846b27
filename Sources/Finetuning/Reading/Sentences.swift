import Platform

/// A sentence of words, with their tags if its file has them.
package struct Sentence: Sendable, Equatable {
  package var words: [String]
  /// A tag for each word; empty where they are not known.
  package var tags: [String]
  /// The number of its first line.
  package var line: Int
}

/// Reads sentences from a file of one word a line (CoNLL), or from JSON lines with a list of words
/// and a list of tags.
///
/// A line's columns stand between tabs if it has one, otherwise between blanks. A blank line ends a
/// sentence, as do lines of CoNLL that begin or end a document. CoNLL-U is read as such (`CoNLLU`).
struct SentenceReader {
  private let file: TextFile
  private var columns: WordColumns
  /// Whether the file may have no tags.
  private let tagsAreOptional: Bool
  private let emptyLabels: EmptyLabels
  private var sentences: [Sentence] = []
  private var current = Sentence(words: [], tags: [], line: 0)
  /// Lines of words without tag, of which the sentences are left out: one for each.
  private var emptyLines: [Int] = []
  /// The first such line of the current sentence.
  private var emptyLine: Int?
  /// The line in which the file was cut.
  private var cutLine: Int?

  /// The sentences of a file; for each that was left out the line of a word without tag; and the last
  /// line of a file of CoNLL-U that was cut inside it, whose sentence is left out too. Throws
  /// `emptyLabel`, `shortRow`, `badField`, `notJSON` and `notUTF8`.
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
    let form = CoNLLU(file)
    if let form { columns = form.resolving(columns) }
    var hasTags: Bool?
    var shortRow: FinetuningError?
    try file.forEachLine { number, line in
      if let shortRow { throw shortRow }
      let fields = Self.fields(line)
      if fields.isEmpty || Self.isBorder(line) { return endSentence() }
      if let form, CoNLLU.isComment(line) || !form.isWord(fields) { return }
      let hasTagsHere = hasTags ?? (!tagsAreOptional || fields.count >= needed(hasTag: true))
      hasTags = hasTagsHere
      do {
        try add(fields, hasTag: hasTagsHere, line: number)
      } catch let error as FinetuningError {
        // A row of CoNLL-U has all its columns: where the last one ends early the file was cut.
        guard form != nil, case .shortRow = error, !file.endsWithLineEnd else { throw error }
        (shortRow, cutLine) = (error, number)
      }
    }
    if cutLine == nil { endSentence() }
  }

  private static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    if line.isBlank { return [] }
    guard line.contains(UInt8(ascii: "\t")) else { return line.split(separator: UInt8(ascii: " ")) }
    return line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
  }

  /// Whether a line begins or ends a document, in the form of 2003 or of 2012.
  private static func isBorder(_ line: ArraySlice<UInt8>) -> Bool {
    ["-DOCSTART-", "#begin document", "#end document"].contains { line.starts(with: $0.utf8) }
  }

  /// The columns that a line must have.
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
    func text(_ place: Int) throws -> String {
      try file.text(fields[place < 0 ? fields.count + place : place].trimmed, line: line)
    }
    if current.words.isEmpty { current.line = line }
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
      sentences.append(Sentence(words: current.words, tags: [], line: current.line))
    } else if !current.words.isEmpty {
      sentences.append(current)
    }
    current = Sentence(words: [], tags: [], line: 0)
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
      // A place cannot be found here; the usual names can.
      func name(_ field: String, usual: String) -> String {
        object[field] == nil && WordColumns.place(field) != nil ? usual : field
      }
      let words = try list(name(columns.wordField, usual: "tokens"), nil)
      let tagField = name(columns.tagField, usual: "tags")
      let isUntagged = tagsAreOptional && object[tagField] == nil
      var tags = isUntagged ? [] : try list(tagField, words.count)
      if tags.contains("") && tagsAreOptional { tags = [] }
      if tags.contains("") {
        if emptyLabels == .stop { throw FinetuningError.emptyLabel(path: file.path, line: number) }
        return emptyLines.append(number)
      }
      // In a file that is only answered, a line without words has an answer too, without tags.
      if !words.isEmpty || tagsAreOptional {
        sentences.append(Sentence(words: words, tags: tags, line: number))
      }
    }
  }
}
