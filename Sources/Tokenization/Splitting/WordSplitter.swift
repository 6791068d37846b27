/// Takes the words of a text as a splitter finds them.
protocol WordSink {
  /// Whether the word buffer's `sources` are wanted; a constant, so that the hot paths cost nothing.
  static var wantsSources: Bool { get }
  /// A word; an ideograph or punctuation mark is one too. It is never empty.
  mutating func word(_ word: WordBuffer)
  /// A special or other added token that stands in the text as its name.
  mutating func special(_ id: Int32, from range: Range<Int>)
}

/// Splits UTF-8 text into normalised words, as BERT's basic tokenizer: cleaning, spaces around
/// ideographs, decomposition and dropping of marks, lower-casing, splitting at white space and
/// around punctuation.
///
/// The names of special and other added tokens are found in the raw text before anything else, the
/// longest first, as Hugging Face's `tokenizers` does: `[MASK]` in a text is the mask token, `[mask]`
/// is three words.
struct WordSplitter: Sendable {
  private let table: CharacterTable
  /// The added tokens, the longest name first.
  private let added: [(name: [UInt8], id: Int32)]
  /// For each byte whether the name of an added token begins with it.
  private let isStart: [Bool]

  /// `added` may be left out where ids do not matter.
  init(_ normalization: TextNormalization, added: [AddedToken] = []) {
    let names = added.map { (name: Array($0.name.utf8), id: $0.id) }
    let starts = Set(names.compactMap(\.name.first))
    self.added = names.sorted { $0.name.count > $1.name.count }
    isStart = (0..<256).map { starts.contains(UInt8($0)) }
    table = CharacterTable(normalization, stops: starts)
  }

  /// Gives every word of `text` to `sink`.
  func split<Sink: WordSink>(_ text: UnsafeBufferPointer<UInt8>, into sink: inout Sink) {
    let capacity = WordBuffer.capacity
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { bytes in
      withUnsafeTemporaryAllocation(of: Range<Int>.self, capacity: capacity) { sources in
        guard let bytes = bytes.baseAddress, let sources = sources.baseAddress else { return }
        sources.initialize(repeating: 0..<0, count: Sink.wantsSources ? capacity : 0)
        split(text, with: WordBuffer(bytes: bytes, sources: sources), into: &sink)
      }
    }
  }

  @inline(__always)
  private func split<Sink: WordSink>(
    _ text: UnsafeBufferPointer<UInt8>, with buffer: WordBuffer, into sink: inout Sink
  ) {
    var word = buffer
    var place = 0
    while place < text.count {
      place = readLetters(of: text, from: place, into: &word, Sink.self)
      guard place < text.count else { break }
      if text[place] == UInt8(ascii: " ") {
        finish(&word, into: &sink)
        place += 1
      } else {
        place = readCharacter(of: text, at: place, into: &word, &sink)
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

  /// Reads ASCII letters and digits; returns the place behind them.
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

  /// Reads any one character, or the name of an added token; returns the place behind it.
  @inline(__always)
  private func readCharacter<Sink: WordSink>(
    of text: UnsafeBufferPointer<UInt8>, at place: Int, into word: inout WordBuffer,
    _ sink: inout Sink
  ) -> Int {
    if isStart[Int(text[place])], let token = addedToken(in: text, at: place) {
      finish(&word, into: &sink)
      let end = place + token.name.count
      sink.special(token.id, from: place..<end)
      return end
    }
    let (codePoint, length) = UTF8Decoding.decode(text, at: place)
    let range = place..<place + length
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

  /// Performs what one character becomes, part by part.
  private func performSequence<Sink: WordSink>(
    _ sequence: CharacterTable.Action, on text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    _ word: inout WordBuffer, _ sink: inout Sink
  ) {
    table.forEachAction(of: sequence) { action in
      if action.kind != .sequence { perform(action, on: text, range, &word, &sink) }
    }
  }

  private func order(markAt start: Int, in word: inout WordBuffer) {
    guard start < word.count else { return }
    word.order(markAt: start) { codePoint in
      table.action(codePoint).kind == .mark
        ? Unicode.Scalar(codePoint).map(CharacterRules.combiningClass) ?? 0 : 0
    }
  }

  private func addedToken(
    in text: UnsafeBufferPointer<UInt8>, at place: Int
  ) -> (name: [UInt8], id: Int32)? {
    added.first { token in
      text.count - place >= token.name.count
        && token.name.indices.allSatisfy { text[place + $0] == token.name[$0] }
    }
  }
}
