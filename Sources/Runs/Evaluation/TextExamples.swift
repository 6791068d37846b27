import Collectives
import Corpus
import Layers

/// Held-out examples of a text in the memory of every rank.
struct TextExamples: Sendable {
  private var all = Batch()
  /// The tokens of each example.
  private let ranges: [Range<Int>]

  var count: Int { ranges.count }

  /// Shares at most `most` of rank zero's examples, spread evenly, with all ranks.
  ///
  /// Every rank must call it; the others have no `examples`.
  init(_ examples: [Example], most: Int, _ world: Communicator) throws {
    let count = min(most, examples.count)
    for index in 0..<count {
      // The subset that `ShardSet.heldOut` takes.
      let example = examples[index * examples.count / count]
      all.append(
        tokens: example.tokens,
        segmentIDs: example.tokens.indices.map { $0 < example.firstLength ? 0 : 1 })
    }
    all.tokens = try world.gather(all.tokens)[0]
    all.segmentIDs = try world.gather(all.segmentIDs)[0]
    all.lengths = try world.gather(all.lengths)[0]
    ranges = all.ranges
  }

  /// The examples with these indices.
  func batch(_ indices: Range<Int>) -> Batch {
    var batch = Batch(firstSequence: indices.lowerBound)
    for range in ranges[indices] {
      batch.append(tokens: all.tokens[range], segmentIDs: all.segmentIDs[range])
    }
    return batch
  }
}
