/// The outputs of the reference's span head for one sequence: a no-answer logit, the most probable
/// start tokens, and the most probable end tokens given each start.
///
/// A head returns floats, so `floats` and `init(floats:)` convert a beam. The layout of the floats
/// is defined here and nowhere else.
package struct SpanBeam: Sendable, Equatable {
  /// The logit that the sequence holds no answer.
  package var noAnswerLogit: Float
  /// At most `width` starts, the most probable one first.
  package var starts: [Start] = []

  /// A start token, the log-probability of the start, and the ends given this start.
  package struct Start: Sendable, Equatable {
    /// The index of the token in the sequence.
    package var token: Int
    package var logProbability: Float
    /// At most `width` ends, the most probable one first.
    package var ends: [End]
  }

  /// An end token and its log-probability given the start.
  package struct End: Sendable, Equatable {
    /// The index of the token in the sequence.
    package var token: Int
    package var logProbability: Float
  }

  /// The number of starts, and of ends for each start, that are kept (the reference's `beam_size`).
  static let width = 20

  init(noAnswerLogit: Float) { self.noAnswerLogit = noAnswerLogit }

  // MARK: Layout
  //
  //     offset             floats
  //     0                  no-answer logit
  //     1 + i S            token and log-probability of start i, for i < width
  //     3 + i S + 2 j      token and log-probability of end j given start i, for j < width
  //
  // S = 2 (1 + width). A short sequence has fewer tokens than `width`; the token of an unused entry
  // is -1. Token indices are exact as floats: they are below 2^24.

  private static let startStride = 2 * (1 + width)
  private static func offset(start: Int) -> Int { 1 + start * startStride }
  private static func offset(start: Int, end: Int) -> Int { offset(start: start) + 2 * (1 + end) }

  /// The number of floats of every beam, however many entries are used.
  package static let floatCount = offset(start: width)

  var floats: [Float] {
    var result = [Float](repeating: 0, count: Self.floatCount)
    result[0] = noAnswerLogit
    func write(_ token: Int?, _ logProbability: Float?, at offset: Int) {
      result[offset] = Float(token ?? -1)
      result[offset + 1] = logProbability ?? 0
    }
    for i in 0..<Self.width {
      let start = i < starts.count ? starts[i] : nil
      write(start?.token, start?.logProbability, at: Self.offset(start: i))
      for j in 0..<Self.width {
        let end = start.flatMap { j < $0.ends.count ? $0.ends[j] : nil }
        write(end?.token, end?.logProbability, at: Self.offset(start: i, end: j))
      }
    }
    return result
  }

  /// Reads `floatCount` floats in the layout of `floats`.
  package init(floats: some Collection<Float>) {
    precondition(floats.count == Self.floatCount, "a beam of \(floats.count) floats")
    let floats = Array(floats)
    noAnswerLogit = floats[0]
    for i in 0..<Self.width {
      let start = Self.offset(start: i)
      guard floats[start] >= 0 else { continue }
      let ends = (0..<Self.width).map { Self.offset(start: i, end: $0) }.filter { floats[$0] >= 0 }
      starts.append(
        Start(
          token: Int(floats[start]), logProbability: floats[start + 1],
          ends: ends.map { End(token: Int(floats[$0]), logProbability: floats[$0 + 1]) }))
    }
  }
}
