import Electra
import Foundation
import Layers
import Platform
import Tokenization
import Training

/// `not-finite-N.json` of a run: the slice that made the gradient of step N what it is. With the
/// checkpoint before, whose training goes through the same step again, it is all there is to look at.
struct NonFiniteStep: Codable, Equatable {
  /// The step, as `metrics.jsonl` counts.
  let step: Int
  let slice: Int
  let slices: Int
  /// The tensors whose gradient is not finite, and the losses that are not.
  let tensors: [String]
  let losses: [String]
  let sequences: [Sequence]

  /// A sequence of the slice.
  struct Sequence: Codable, Equatable {
    /// Its number in the step's batch: masks, samples and dropout are functions of step and number.
    let number: Int
    let text: String
    let tokens: [Int32]
    let types: [UInt8]
  }

  init(_ divergence: Divergence, _ slice: Divergence.Slice, _ vocabulary: Vocabulary) {
    let batch = slice.batch
    step = divergence.step + 1
    (self.slice, slices) = (slice.number, slice.count)
    (tensors, losses) = (slice.tensors, slice.losses)
    sequences = batch.ranges.enumerated().map { index, range in
      let tokens = Array(batch.tokens[range])
      return Sequence(
        number: batch.firstSequence + index,
        text: tokens.map { vocabulary.tokens[Int($0)] }.joined(separator: " "), tokens: tokens,
        types: Array(batch.segmentIDs[range]))
    }
  }

  func write(to path: String) throws {
    try AtomicFile.write(jsonDocument(), to: path, replacing: true)
  }
}
