import Electra
import Foundation
import Layers
import Platform
import Tokenization
import Training

/// The contents of `not-finite-N.json` of a run: the slice that made the gradient of step N
/// non-finite.
///
/// The step can be repeated from the checkpoint before it, because training is deterministic.
struct NonFiniteStep: Codable, Equatable {
  /// The number of steps done with this one, as in `metrics.jsonl`.
  let step: Int
  let slice: Int
  let slices: Int
  /// The tensors with a non-finite gradient.
  let tensors: [String]
  /// The losses that are not finite.
  let losses: [String]
  let sequences: [Sequence]

  /// A sequence of the slice.
  struct Sequence: Codable, Equatable {
    /// The index in the step's batch: masks, samples and dropout are functions of step and index.
    let number: Int
    let text: String
    let tokens: [Int32]
    let types: [UInt8]
  }

  /// Describes `slice`, the origin of `divergence`, with the text of its sequences.
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

  /// Writes the file atomically, and replaces an existing one; throws `FileError.unwritable`.
  func write(to path: String) throws {
    try AtomicFile.write(jsonDocument(), to: path, replacing: true)
  }
}
