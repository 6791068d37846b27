/// What the reference's head for spans says of a sequence: whether it holds no answer, its best starts,
/// and the best ends of each.
package struct SpanBeam: Sendable, Equatable {
  /// The logit of holding no answer.
  package var absence: Float
  /// The best first.
  package var starts: [Start] = []

  /// A token of the sequence that an answer may begin with; with the logarithm of its probability.
  package struct Start: Sendable, Equatable {
    package var token: Int
    package var logChance: Float
    package var ends: [End]
  }

  /// A token that an answer with a given start may end with; the best first.
  package struct End: Sendable, Equatable {
    package var token: Int
    package var logChance: Float
  }

  /// The starts, and the ends of each, that are kept (the reference's `beam_size`).
  static let width = 20

  init(absence: Float) { self.absence = absence }

  /// The floats of a beam among a model's answers: the absence, then for each start its token and
  /// log-chance, and those of its ends; a token of -1 stands where a short sequence has no more.
  package static let floatCount = 1 + width * (2 + 2 * width)

  var floats: [Float] {
    var result = [absence]
    for place in 0..<Self.width {
      let start = place < starts.count ? starts[place] : Start(token: -1, logChance: 0, ends: [])
      result += [Float(start.token), start.logChance]
      for place in 0..<Self.width {
        let end = place < start.ends.count ? start.ends[place] : End(token: -1, logChance: 0)
        result += [Float(end.token), end.logChance]
      }
    }
    return result
  }

  /// Reads what `floats` gave.
  package init(floats: some Collection<Float>) {
    precondition(floats.count == Self.floatCount, "a beam of \(floats.count) floats")
    let floats = Array(floats)
    absence = floats[0]
    let size = 2 + 2 * Self.width
    for first in stride(from: 1, to: floats.count, by: size) where floats[first] >= 0 {
      let ends = stride(from: first + 2, to: first + size, by: 2).filter { floats[$0] >= 0 }
      starts.append(
        Start(
          token: Int(floats[first]), logChance: floats[first + 1],
          ends: ends.map { End(token: Int(floats[$0]), logChance: floats[$0 + 1]) }))
    }
  }
}
