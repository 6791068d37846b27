import Electra
import Tensors

/// A step on a number of ranks: its work and, if it was measured, its time.
///
///     var point = ScalingPoint()
///     (point.batch, point.length, point.rankTokens) = (16, 128, 2048)
///
/// Its JSON is a line of `electra benchmark step --json`; other keys of the line are ignored. A new
/// point is a step of one rank with one worker and no traffic, and is not valid until its sizes and
/// times are set.
package struct ScalingPoint: Sendable, Equatable, Codable {
  package var ranks = 1
  package var hosts = 1
  /// Worker threads per rank.
  package var workers = 1
  /// Workers per core, at least 1; above 1 they share the core and compute that many times longer.
  package var workersPerCore = 1.0
  /// Sequences per step over all ranks, and tokens per sequence.
  package var batch = 0
  package var length = 0
  /// Tokens of the rank that computes most, and tokens that pass through the model at once.
  package var rankTokens = 0
  package var microBatchTokens = 0
  /// The arithmetic of matrix products; float32 in lines of earlier versions.
  package var arithmetic = Arithmetic.float32
  /// Bytes of the gradient vector, and the number of its buckets.
  package var vectorBytes = 0
  package var buckets = 0
  /// Bytes of one gradient and one vector of weights as they are sent.
  ///
  /// nil in lines of earlier versions, where both are in float32.
  package var communicatedBytes: Int?
  /// The share of the vector whose traffic can overlap with computing: all but the embeddings.
  package var hideableShare = 0.0
  /// Bytes sent by the rank that sends most, and messages that depend on each other.
  package var sentBytes = 0
  package var messages = 0
  /// Median seconds of a step, and the part in which workers waited for others or reduced.
  package var seconds = 0.0
  package var reductionSeconds = 0.0

  package enum CodingKeys: String, CodingKey {
    case ranks, hosts, batch, length, arithmetic, buckets, messages, seconds
    case workers = "lanes"
    case workersPerCore = "lanes_per_core"
    case rankTokens = "rank_tokens"
    case microBatchTokens = "micro_batch_tokens"
    case vectorBytes = "vector_bytes"
    case communicatedBytes = "communicated_bytes"
    case hideableShare = "hideable_share"
    case sentBytes = "sent_bytes"
    case reductionSeconds = "reduction_seconds"
  }

  package init() {}

  /// Whether all values are in the range of a measured step.
  package var isValid: Bool {
    [
      ranks, hosts, workers, batch, length, rankTokens, microBatchTokens, vectorBytes, buckets,
      communicatedBytes ?? 1,
    ].allSatisfy { (1..<1 << 48).contains($0) } && workersPerCore >= 1 && workersPerCore.isFinite
      && (0...1).contains(hideableShare) && sentBytes >= 0 && messages >= 0 && seconds > 0
      && seconds.isFinite && (0...seconds).contains(reductionSeconds)
  }

  /// Whether both are steps of the same model, arithmetic, exchange, sequence length, workers per
  /// rank and micro-batch.
  package func isSameModel(as other: ScalingPoint) -> Bool {
    vectorBytes == other.vectorBytes && length == other.length && workers == other.workers
      && microBatchTokens == other.microBatchTokens && arithmetic == other.arithmetic
      && (communicatedBytes ?? 2 * vectorBytes)
        == (other.communicatedBytes ?? 2 * other.vectorBytes)
  }

  package var tokensPerSecond: Double { Double(batch * length) / seconds }
  package var communicationShare: Double { reductionSeconds / seconds }
  package var isPowerOfTwo: Bool { ranks & (ranks - 1) == 0 }

  /// The share of a step's computing that can overlap with traffic.
  ///
  /// Per worker this is one micro-batch: the last of a step overlaps with the reduction, and the
  /// first of the next with the gathering of weights.
  var windowShare: Double {
    min(1, Double(microBatchTokens * workers) / Double(rankTokens))
  }

  /// The same step on `count` ranks, a power of two, with a core per worker.
  ///
  /// If `isWeak`, the batch grows with the ranks. The exchange is not hierarchical. The times of
  /// the result are NaN.
  package func onRanks(_ count: Int, isWeak: Bool) -> ScalingPoint {
    var result = self
    result.ranks = count
    result.workersPerCore = 1
    let sequences = isWeak ? batch / ranks : batch
    result.batch = isWeak ? sequences * count : batch
    result.rankTokens = length * (isWeak ? sequences : (batch + count - 1) / count)
    result.sentBytes = (communicatedBytes ?? 2 * vectorBytes) / count * (count - 1)
    result.messages = 2 * buckets * (count - 1)
    (result.seconds, result.reductionSeconds) = (.nan, .nan)
    return result
  }
}
