/// A step on a number of ranks: what it has to do, and what it was measured to take.
///
///     var point = ScalingPoint()
///     (point.batch, point.length, point.rankTokens) = (16, 128, 2048)
///
/// Its JSON is a line of `electra benchmark step --json`, which has more keys. A new point is a step of
/// one rank with one worker and no traffic, and not sound before its sizes and times are set.
package struct ScalingPoint: Sendable, Equatable, Codable {
  package var ranks = 1
  package var hosts = 1
  /// Worker threads of a rank.
  package var lanes = 1
  /// Workers that share a core, at least 1: above it they take turns and compute for as much longer.
  package var lanesPerCore = 1.0
  /// Sequences of a step over all ranks, and the tokens of each.
  package var batch = 0
  package var length = 0
  /// Tokens of the rank that computes most, and those of them that go through the model at once.
  package var rankTokens = 0
  package var microBatchTokens = 0
  /// Bytes of the gradient vector, and how many buckets it travels in.
  package var vectorBytes = 0
  package var buckets = 0
  /// The part of the vector that may travel while workers compute: all but the embeddings.
  package var hideableShare = 0.0
  /// Bytes sent by the rank that sends most, and messages that follow each other.
  package var sentBytes = 0
  package var messages = 0
  /// The median step, and the part of it in which workers waited for others or reduced.
  package var seconds = 0.0
  package var reductionSeconds = 0.0

  package enum CodingKeys: String, CodingKey {
    case ranks, hosts, lanes, batch, length, buckets, messages, seconds
    case lanesPerCore = "lanes_per_core"
    case rankTokens = "rank_tokens"
    case microBatchTokens = "micro_batch_tokens"
    case vectorBytes = "vector_bytes"
    case hideableShare = "hideable_share"
    case sentBytes = "sent_bytes"
    case reductionSeconds = "reduction_seconds"
  }

  package init() {}

  /// Whether the figures can be a step's.
  package var isSound: Bool {
    [ranks, hosts, lanes, batch, length, rankTokens, microBatchTokens, vectorBytes, buckets]
      .allSatisfy { (1..<1 << 48).contains($0) } && lanesPerCore >= 1 && lanesPerCore.isFinite
      && (0...1).contains(hideableShare) && sentBytes >= 0 && messages >= 0 && seconds > 0
      && seconds.isFinite && (0...seconds).contains(reductionSeconds)
  }

  /// Whether both are steps of one model on sequences of one length.
  package func isSameModel(as other: ScalingPoint) -> Bool {
    vectorBytes == other.vectorBytes && length == other.length && lanes == other.lanes
      && microBatchTokens == other.microBatchTokens
  }

  package var tokensPerSecond: Double { Double(batch * length) / seconds }
  package var communicationShare: Double { reductionSeconds / seconds }
  package var isPowerOfTwo: Bool { ranks & (ranks - 1) == 0 }

  /// What a lane computes at the same time as buckets travel: its last micro-batch, and the first of
  /// the next step.
  var windowShare: Double {
    min(1, Double(microBatchTokens * lanes) / Double(rankTokens))
  }

  /// The same step on another number of ranks, a power of two, with a core for every lane; not
  /// measured.
  ///
  /// - Parameter isWeak: whether the batch grows with the ranks.
  package func onRanks(_ count: Int, isWeak: Bool) -> ScalingPoint {
    var result = self
    result.ranks = count
    result.lanesPerCore = 1
    let sequences = isWeak ? batch / ranks : batch
    result.batch = isWeak ? sequences * count : batch
    result.rankTokens = length * (isWeak ? sequences : (batch + count - 1) / count)
    result.sentBytes = 2 * vectorBytes / count * (count - 1)
    result.messages = 2 * buckets * (count - 1)
    (result.seconds, result.reductionSeconds) = (.nan, .nan)
    return result
  }
}
