import Layers
import Testing

struct BatchTests {
  @Test
  func microBatchesKeepSequencesWholeAndNumbered() {
    var batch = Batch(step: 4, firstSequence: 10)
    for length in [3, 3, 9, 1] {
      batch.append(
        tokens: Array(repeating: Int32(length), count: length),
        segmentIDs: Array(repeating: 0, count: length))
    }
    let parts = batch.microBatches(tokenLimit: 6)
    #expect(parts.map(\.lengths) == [[3, 3], [9], [1]])
    #expect(parts.map(\.firstSequence) == [10, 12, 13])
    #expect(parts.flatMap(\.tokens) == batch.tokens)
    #expect(parts.allSatisfy { $0.step == 4 })
  }

  @Test
  func anEmptyBatchHasNoMicroBatches() {
    #expect(Batch().microBatches(tokenLimit: 5).isEmpty)
  }
}
