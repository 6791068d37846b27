// Text that passes through other normalizers before BERT's.
extension WordSplitter {
  /// Normalises the text between the names of added tokens, and splits the results.
  func splitNormalizing<Sink: WordSink>(
    _ text: UnsafeBufferPointer<UInt8>, into sink: inout Sink
  ) {
    var (start, offset) = (0, 0)
    while offset < text.count {
      if isNameStart[Int(text[offset])], let token = addedToken(in: text, at: offset) {
        split(text, start..<offset, into: &sink)
        sink.special(token.id, from: offset..<offset + token.name.count)
        offset += token.name.count
        start = offset
      } else {
        offset += 1
      }
    }
    split(text, start..<text.count, into: &sink)
  }

  /// Normalises and splits the bytes `range` of the text, which contain no name of an added token.
  private func split<Sink: WordSink>(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into sink: inout Sink
  ) {
    if range.isEmpty { return }
    var normalized = NormalizedText(text, range)
    for table in normalizers { normalized.apply(table) }
    let (bytes, sources) = normalized.encoded(wantsSources: Sink.wantsSources)
    // A copy of the sink would copy what it has collected so far, for each text.
    withUnsafeMutablePointer(to: &sink) { target in
      var mapping = MappingSink(sink: target, sources: sources)
      bytes.withUnsafeBufferPointer { splitWords($0, into: &mapping) }
    }
  }
}

/// Passes words of a normalised text on, with their sources in the original text.
private struct MappingSink<Sink: WordSink>: WordSink {
  static var wantsSources: Bool { Sink.wantsSources }
  let sink: UnsafeMutablePointer<Sink>
  /// The source of each byte of the normalised text; their bounds are ascending.
  let sources: [Range<Int>]

  mutating func word(_ word: WordBuffer) {
    if Self.wantsSources {
      for index in 0..<word.count {
        let range = word.sources[index]
        word.sources[index] =
          sources[range.lowerBound].lowerBound..<sources[range.upperBound - 1].upperBound
      }
    }
    sink.pointee.word(word)
  }

  mutating func special(_ id: Int32, from range: Range<Int>) {
    sink.pointee.special(id, from: range)
  }
}
