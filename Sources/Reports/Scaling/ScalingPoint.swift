/// A step on a number of ranks: what it has to do, and what it was measured to take.
///
/// Its JSON is a line of `electra benchmark step --json`, which says more.
package struct ScalingPoint: Sendable, Equatable, Codable {
  package var ranks: Int
  package var hosts: Int
  /// Lanes a rank.
  package var lanes: Int
  /// Lanes that share a core, at least 1: above it they take turns and compute for as much longer.
  package var lanesPerCore: Double
  /// Sequences of a step over all ranks, and their tokens.
  package var batch: Int
  package var length: Int
  /// Tokens of the rank that computes most, and those of them that go through the model at once.
  package var rankTokens: Int
  package var microBatchTokens: Int
  /// Of the vector, and how many buckets it travels in.
  package var vectorBytes: Int
  package var buckets: Int
  /// The part of the vector that may travel while lanes compute: all but the embeddings.
  package var hideableShare: Double
  /// Sent by the rank that sends most, and messages that follow each other.
  package var sentBytes: Int
  package var messages: Int
  /// The median step, and the part of it in which lanes waited for others or reduced.
  package var seconds: Double
  package var reductionSeconds: Double

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

  package init(
    ranks: Int, hosts: Int, lanes: Int, lanesPerCore: Double, batch: Int, length: Int,
    rankTokens: Int, microBatchTokens: Int, vectorBytes: Int, buckets: Int, hideableShare: Double,
    sentBytes: Int, messages: Int, seconds: Double, reductionSeconds: Double
  ) {
    (self.ranks, self.hosts, self.lanes) = (ranks, hosts, lanes)
    (self.lanesPerCore, self.batch, self.length) = (lanesPerCore, batch, length)
    (self.rankTokens, self.microBatchTokens) = (rankTokens, microBatchTokens)
    (self.vectorBytes, self.buckets, self.hideableShare) = (vectorBytes, buckets, hideableShare)
    (self.sentBytes, self.messages) = (sentBytes, messages)
    (self.seconds, self.reductionSeconds) = (seconds, reductionSeconds)
  }

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
