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
/// sentence, as does a `-DOCSTART-` line, which is no word.
struct SentenceReader {
  private let file: TextFile
  private let columns: WordColumns
  /// Whether the file may have no tags.
  private let tagsAreOptional: Bool
  private var sentences: [Sentence] = []
  private var current = Sentence(words: [], tags: [], line: 0)

  /// The sentences of a file. Throws `shortRow`, `badField`, `notJSON` and `notUTF8`.
  static func sentences(
    _ file: TextFile, _ columns: WordColumns, tagsAreOptional: Bool
  ) throws -> [Sentence] {
    var reader = SentenceReader(file: file, columns: columns, tagsAreOptional: tagsAreOptional)
    try file.holdsObjects ? reader.readObjects() : reader.readLines()
    return reader.sentences
  }

  private init(file: TextFile, columns: WordColumns, tagsAreOptional: Bool) {
    self.file = file
    self.columns = columns
    self.tagsAreOptional = tagsAreOptional
  }

  private mutating func readLines() throws {
    var hasTags: Bool?
    try file.forEachLine { number, line in
      let fields = Self.fields(line)
      if fields.isEmpty || fields[0].elementsEqual("-DOCSTART-".utf8) { return endSentence() }
      let hasTagsHere = hasTags ?? !(tagsAreOptional && fields.count == 1)
      hasTags = hasTagsHere
      try add(fields, hasTag: hasTagsHere, line: number)
    }
    endSentence()
  }

  private static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    if line.isBlank { return [] }
    guard line.contains(UInt8(ascii: "\t")) else { return line.split(separator: UInt8(ascii: " ")) }
    return line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
  }

  private mutating func add(
    _ fields: [ArraySlice<UInt8>], hasTag: Bool, line: Int
  ) throws(FinetuningError) {
    let places = hasTag ? [columns.word, columns.tag] : [columns.word]
    let needed = max(places.map { $0 < 0 ? -$0 : $0 + 1 }.max() ?? 1, places.count)
    guard fields.count >= needed else {
      throw .shortRow(path: file.path, line: line, found: fields.count, needed: needed)
    }
    func text(_ place: Int) throws(FinetuningError) -> String {
      try file.text(fields[place < 0 ? fields.count + place : place].trimmed, line: line)
    }
    if current.words.isEmpty { current.line = line }
    current.words.append(try text(columns.word))
    if !hasTag { return }
    let tag = try text(columns.tag)
    if tag.isEmpty {
      throw .shortRow(path: file.path, line: line, found: fields.count - 1, needed: needed)
    }
    current.tags.append(tag)
  }

  private mutating func endSentence() {
    if !current.words.isEmpty { sentences.append(current) }
    current = Sentence(words: [], tags: [], line: 0)
  }

  private mutating func readObjects() throws {
    try file.forEachObject { number, object in
      func list(_ field: String, _ count: Int?) throws(FinetuningError) -> [String] {
        let texts = object[field]?.texts
        guard let texts, count == nil || count == texts.count else {
          let wanted = "a list of \(count.map(String.init) ?? "") texts"
          throw .badField(path: file.path, line: number, field: field, wanted: wanted)
        }
        return texts
      }
      let words = try list(columns.wordField, nil)
      let isUntagged = tagsAreOptional && object[columns.tagField] == nil
      let tags = isUntagged ? [] : try list(columns.tagField, words.count)
      if tags.contains("") {
        throw FinetuningError.badField(
          path: file.path, line: number, field: columns.tagField, wanted: "a list of tags")
      }
      // In a file that is only answered, a line without words has an answer too, without tags.
      if !words.isEmpty || tagsAreOptional {
        sentences.append(Sentence(words: words, tags: tags, line: number))
      }
    }
  }
}
