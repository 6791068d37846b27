/// Receives the words of a text from a `WordSplitter`, in order.
protocol WordSink {
  /// Whether `WordBuffer.sources` is filled; a constant, so that unused code is removed.
  static var wantsSources: Bool { get }
  /// Receives a word, which is never empty; an ideograph or punctuation mark is a word.
  mutating func word(_ word: WordBuffer)
  /// Receives a special or other added token whose name is at `range` of the text.
  mutating func special(_ id: Int32, from range: Range<Int>)
}

/// Splits UTF-8 text into normalised words, as BERT's basic tokenizer does.
///
/// The steps are: remove control characters, separate ideographs, decompose and remove marks,
/// convert to lower case, split at white space and around punctuation.
///
/// As in Hugging Face's `tokenizers`, the names of added tokens are matched in the raw text before
/// these steps, the longest name first: `[MASK]` is the mask token, `[mask]` is three words. Other
/// normalizers, which few tokenizers have, come before these steps too.
struct WordSplitter: Sendable {
  private let table: CharacterTable
  /// The added tokens, the longest name first.
  private let added: [(name: [UInt8], id: Int32)]
  /// For each byte, whether the name of an added token begins with it.
  let isNameStart: [Bool]
  /// The same for `splitWords`, which looks for no name in text that other normalizers have
  /// changed: they can make a name from text that is not the token.
  private let isStart: [Bool]
  /// The normalizers before BERT's.
  let normalizers: [NormalizerTable]

  /// Creates a splitter; `added` can be omitted where ids do not matter.
  init(_ normalization: TextNormalization, added: [AddedToken] = []) {
    let names = added.map { (name: Array($0.name.utf8), id: $0.id) }
    let starts = Set(names.compactMap(\.name.first))
    self.added = names.sorted { $0.name.count > $1.name.count }
    normalizers = normalization.normalizers.map { NormalizerTable($0) }
    isNameStart = (0..<256).map { starts.contains(UInt8($0)) }
    isStart = normalizers.isEmpty ? isNameStart : isNameStart.map { _ in false }
    table = CharacterTable(normalization, stops: starts)
  }

  /// Passes every word and added token of `text` to `sink`, in order.
  func split<Sink: WordSink>(_ text: UnsafeBufferPointer<UInt8>, into sink: inout Sink) {
    if normalizers.isEmpty {
      splitWords(text, into: &sink)
    } else {
      splitNormalizing(text, into: &sink)
    }
  }

  /// Passes the words of text that only BERT's normalisation changes to `sink`.
  func splitWords<Sink: WordSink>(_ text: UnsafeBufferPointer<UInt8>, into sink: inout Sink) {
    let capacity = WordBuffer.capacity
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { bytes in
      withUnsafeTemporaryAllocation(of: Range<Int>.self, capacity: capacity) { sources in
        guard let bytes = bytes.baseAddress, let sources = sources.baseAddress else { return }
        sources.initialize(repeating: 0..<0, count: Sink.wantsSources ? capacity : 0)
        let buffer = WordBuffer(bytes: bytes, sources: sources, hasSources: Sink.wantsSources)
        split(text, with: buffer, into: &sink)
      }
    }
  }

  @inline(__always)
  private func split<Sink: WordSink>(
    _ text: UnsafeBufferPointer<UInt8>, with buffer: WordBuffer, into sink: inout Sink
  ) {
    var word = buffer
    var offset = 0
    while offset < text.count {
      offset = readLetters(of: text, from: offset, into: &word, Sink.self)
      guard offset < text.count else { break }
      if text[offset] == UInt8(ascii: " ") {
        finish(&word, into: &sink)
        offset += 1
      } else {
        offset = readCharacter(of: text, at: offset, into: &word, &sink)
      }
    }
    finish(&word, into: &sink)
  }

  @inline(__always)
  private func finish<Sink: WordSink>(_ word: inout WordBuffer, into sink: inout Sink) {
    guard !word.isEmpty else { return }
    sink.word(word)
    word.clear()
  }

  /// Reads ASCII letters and digits; returns the offset after them.
  ///
  /// This is the fast path: most text needs nothing else.
  @inline(__always)
  private func readLetters<Sink: WordSink>(
    of text: UnsafeBufferPointer<UInt8>, from start: Int, into word: inout WordBuffer, _: Sink.Type
  ) -> Int {
    word.saturate()
    let room = min(text.count - start, WordBuffer.capacity - word.count)
    let target = word.bytes + word.count
    var run = 0
    while run < room {
      let letter = table.ascii[Int(text[start + run])]
      if letter == 0 { break }
      target[run] = letter
      if Sink.wantsSources {
        word.sources[word.count + run] = start + run..<start + run + 1
      }
      run += 1
    }
    word.advance(by: run)
    return start + run
  }

  /// Reads any one character, or the name of an added token; returns the offset after it.
  @inline(__always)
  private func readCharacter<Sink: WordSink>(
    of text: UnsafeBufferPointer<UInt8>, at offset: Int, into word: inout WordBuffer,
    _ sink: inout Sink
  ) -> Int {
    if isStart[Int(text[offset])], let token = addedToken(in: text, at: offset) {
      finish(&word, into: &sink)
      let end = offset + token.name.count
      sink.special(token.id, from: offset..<end)
      return end
    }
    let (codePoint, length) = UTF8Decoding.decode(text, at: offset)
    let range = offset..<offset + length
    let action = table.action(codePoint)
    if action.kind == .keep {
      let start = word.count
      word.append(text, from: range)
      if Sink.wantsSources { word.setSources(from: start, to: range) }
    } else {
      perform(action, on: text, range, &word, &sink)
    }
    return range.upperBound
  }

  /// Performs the action of the character at `range`.
  private func perform<Sink: WordSink>(
    _ action: CharacterTable.Action, on text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    _ word: inout WordBuffer, _ sink: inout Sink
  ) {
    let isolated = action.kind == .isolate || action.kind == .isolateReplacement
    if isolated || action.kind == .space { finish(&word, into: &sink) }
    let start = word.count
    switch action.kind {
    case .keep, .isolate: word.append(text, from: range)
    case .replace, .isolateReplacement, .mark: word.append(action.payload)
    case .dropStarter: word.closeOrder()
    case .drop, .space: break
    case .sequence: performSequence(action, on: text, range, &word, &sink)
    }
    if Sink.wantsSources && action.kind != .sequence { word.setSources(from: start, to: range) }
    if action.kind == .mark { order(markAt: start, in: &word) }
    if isolated { finish(&word, into: &sink) }
  }

  /// Performs all actions of a sequence, in order.
  private func performSequence<Sink: WordSink>(
    _ sequence: CharacterTable.Action, on text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    _ word: inout WordBuffer, _ sink: inout Sink
  ) {
    table.forEachAction(of: sequence) { action in
      if action.kind != .sequence { perform(action, on: text, range, &word, &sink) }
    }
  }

  /// Moves the mark at `start` into canonical order; marks not to be ordered count as starters.
  private func order(markAt start: Int, in word: inout WordBuffer) {
    guard start < word.count else { return }
    word.order(markAt: start) { codePoint in
      table.action(codePoint).kind == .mark
        ? Unicode.Scalar(codePoint).map(CharacterRules.combiningClass) ?? 0 : 0
    }
  }

  /// The longest added token whose name begins at `offset`; nil if there is none.
  func addedToken(
    in text: UnsafeBufferPointer<UInt8>, at offset: Int
  ) -> (name: [UInt8], id: Int32)? {
    added.first { token in
      text.count - offset >= token.name.count
        && token.name.indices.allSatisfy { text[offset + $0] == token.name[$0] }
    }
  }
}
