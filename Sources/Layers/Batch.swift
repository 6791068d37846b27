/// Token sequences laid end to end, without padding.
///
/// N tokens in B sequences. A batch is also the address of its random numbers: masks, samples and
/// dropout are functions of (seed, purpose, `step`, sequence index), never of where it is computed.
package struct Batch: Sendable, Equatable, Codable {
  /// Token ids, one sequence after the other. (N)
  package var tokens: [Int32]
  /// Segment ids, 0 or 1. (N)
  package var types: [UInt8]
  /// The length of each sequence. (B)
  package var lengths: [Int]
  /// What the objective knows each sequence by; none in pre-training, whose sequences say it all. (B)
  package var examples: [Int] = []
  /// The step that it belongs to.
  package var step: Int
  /// The index of its first sequence within the step's global batch; the others follow.
  package var firstSequence: Int

  package init(
    tokens: [Int32] = [], types: [UInt8] = [], lengths: [Int] = [], step: Int = 0,
    firstSequence: Int = 0
  ) {
    self.tokens = tokens
    self.types = types
    self.lengths = lengths
    self.step = step
    self.firstSequence = firstSequence
  }

  package var tokenCount: Int { tokens.count }
  package var sequenceCount: Int { lengths.count }

  /// The token range of each sequence. (B)
  package var ranges: [Range<Int>] {
    var start = 0
    return lengths.map { length in
      defer { start += length }
      return start..<start + length
    }
  }

  /// Adds a sequence at the end. All sequences of a batch have an `example`, or none has.
  package mutating func append(
    tokens: some Sequence<Int32>, types: some Sequence<UInt8>, example: Int? = nil
  ) {
    let before = self.tokens.count
    self.tokens.append(contentsOf: tokens)
    self.types.append(contentsOf: types)
    precondition(self.types.count == self.tokens.count, "a type for each token")
    lengths.append(self.tokens.count - before)
    if let example { examples.append(example) }
  }

  /// Cuts into batches of whole consecutive sequences: each takes as many as fit into
  /// `tokenLimit` tokens, but at least one.
  package func microBatches(tokenLimit: Int) -> [Batch] {
    var result: [Batch] = []
    var current = Batch(step: step, firstSequence: firstSequence)
    for (index, range) in ranges.enumerated() {
      if current.tokenCount > 0 && current.tokenCount + range.count > tokenLimit {
        result.append(current)
        current = Batch(step: step, firstSequence: firstSequence + index)
      }
      current.append(
        tokens: tokens[range], types: types[range],
        example: examples.isEmpty ? nil : examples[index])
    }
    if current.tokenCount > 0 { result.append(current) }
    return result
  }
}
