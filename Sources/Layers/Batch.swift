/// Token sequences laid end to end, without padding.
///
/// N tokens in B sequences. `step` and `firstSequence` identify the random numbers of the batch:
/// masks, samples and dropout are functions of (seed, purpose, step, sequence index). They never
/// depend on the rank or the thread that computes the batch.
package struct Batch: Sendable, Equatable, Codable {
  /// Token ids, sequence by sequence. (N)
  package var tokens: [Int32]
  /// Segment ids, 0 or 1. (N)
  package var segmentIDs: [UInt8]
  /// The length of each sequence. (B)
  package var lengths: [Int]
  /// The index of each sequence in the set of examples (B), by which a fine-tuning objective finds
  /// its target; empty in pre-training.
  package var examples: [Int] = []
  /// The training step that the batch belongs to, counted from 0.
  package var step: Int
  /// The index of the first sequence in the global batch of the step.
  package var firstSequence: Int

  package init(
    tokens: [Int32] = [], segmentIDs: [UInt8] = [], lengths: [Int] = [], step: Int = 0,
    firstSequence: Int = 0
  ) {
    self.tokens = tokens
    self.segmentIDs = segmentIDs
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

  /// Appends a sequence.
  ///
  /// `tokens` and `segmentIDs` have equal lengths. Either all sequences of a batch have an
  /// `example` or none has.
  package mutating func append(
    tokens: some Sequence<Int32>, segmentIDs: some Sequence<UInt8>, example: Int? = nil
  ) {
    let before = self.tokens.count
    self.tokens.append(contentsOf: tokens)
    self.segmentIDs.append(contentsOf: segmentIDs)
    precondition(
      self.segmentIDs.count == self.tokens.count, "a sequence needs one segment id per token")
    lengths.append(self.tokens.count - before)
    if let example { examples.append(example) }
  }

  /// Splits the batch into micro-batches of consecutive whole sequences.
  ///
  /// Each takes as many sequences as fit into `tokenLimit` tokens, and at least one: a longer
  /// sequence is a micro-batch of its own. An empty batch has no micro-batches.
  package func microBatches(tokenLimit: Int) -> [Batch] {
    var result: [Batch] = []
    var current = Batch(step: step, firstSequence: firstSequence)
    for (index, range) in ranges.enumerated() {
      if current.tokenCount > 0 && current.tokenCount + range.count > tokenLimit {
        result.append(current)
        current = Batch(step: step, firstSequence: firstSequence + index)
      }
      current.append(
        tokens: tokens[range], segmentIDs: segmentIDs[range],
        example: examples.isEmpty ? nil : examples[index])
    }
    if current.tokenCount > 0 { result.append(current) }
    return result
  }
}
