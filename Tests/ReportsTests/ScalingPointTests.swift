import Foundation
import Reports
import Tensors
import Testing

struct ScalingPointTests {
  private static func point() -> ScalingPoint {
    var point = ScalingPoint()
    (point.batch, point.length, point.rankTokens) = (16, 128, 2048)
    (point.microBatchTokens, point.vectorBytes, point.buckets) = (1024, 72_000_000, 10)
    (point.hideableShare, point.seconds, point.reductionSeconds) = (0.75, 0.5, 0.1)
    return point
  }

  @Test
  func itsJSONIsTheOneOfTheBenchmark() throws {
    let data = try JSONEncoder().encode(Self.point())
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      object.keys.sorted() == [
        "arithmetic", "batch", "buckets", "hideable_share", "hosts", "lanes", "lanes_per_core",
        "length",
        "messages", "micro_batch_tokens", "rank_tokens", "ranks", "reduction_seconds", "seconds",
        "sent_bytes", "vector_bytes",
      ])
    #expect(object["micro_batch_tokens"] as? Int == 1024 && object["seconds"] as? Double == 0.5)
    #expect(object["arithmetic"] as? String == "float32")
    #expect(try JSONDecoder().decode(ScalingPoint.self, from: data) == Self.point())
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ScalingPoint.self, from: Data(#"{"ranks":1}"#.utf8))
    }
  }

  @Test
  func numbersThatNoStepHasAreNotSound() {
    #expect(Self.point().isValid && !ScalingPoint().isValid)
    let changes: [(inout ScalingPoint) -> Void] = [
      { $0.ranks = 0 }, { $0.batch = 1 << 49 }, { $0.workersPerCore = 0.5 },
      { $0.workersPerCore = .infinity }, { $0.hideableShare = 1.1 }, { $0.seconds = 0 },
      { $0.seconds = .nan }, { $0.reductionSeconds = 0.6 }, { $0.sentBytes = -1 },
    ]
    for change in changes {
      var point = Self.point()
      change(&point)
      #expect(!point.isValid, "\(point)")
    }
  }

  /// Reduce-scatter and all-gather each send the vector once, except the part of the rank itself.
  @Test
  func moreRanksHaveTheTrafficOfARing() {
    let weak = Self.point().onRanks(4, isWeak: true)
    #expect(weak.ranks == 4 && weak.batch == 64 && weak.rankTokens == 2048)
    #expect(weak.sentBytes == 2 * 72_000_000 / 4 * 3 && weak.messages == 2 * 10 * 3)
    #expect(!weak.isValid && weak.seconds.isNaN)
    let strong = Self.point().onRanks(4, isWeak: false)
    #expect(strong.batch == 16 && strong.rankTokens == 512)
    #expect(Self.point().onRanks(1, isWeak: true).sentBytes == 0)
  }

  /// In an exchange in bfloat16, gradients take half the bytes, and weights may too.
  @Test
  func anExchangeInBFloat16SendsLess() {
    let point = Self.point()
    var rounded = point
    rounded.communicatedBytes = 3 * point.vectorBytes / 2
    #expect(rounded.onRanks(4, isWeak: true).sentBytes == 3 * 72_000_000 / 2 / 4 * 3)
    #expect(!rounded.isSameModel(as: point))
    // Lines of earlier versions do not say how many bytes there are.
    var named = point
    named.communicatedBytes = 2 * point.vectorBytes
    #expect(named.isSameModel(as: point) && point.communicatedBytes == nil)
  }

  /// Lines of earlier versions have no arithmetic.
  @Test
  func stepsInOtherArithmeticAreNotCompared() throws {
    let point = Self.point()
    var rounded = point
    rounded.arithmetic = .bfloat16
    #expect(point.isSameModel(as: point) && !point.isSameModel(as: rounded))
    let data = try JSONEncoder().encode(point)
    var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object.removeValue(forKey: "arithmetic") != nil)
    let older = try JSONSerialization.data(withJSONObject: object)
    #expect(try JSONDecoder().decode(ScalingPoint.self, from: older) == point)
  }

  @Test
  func ratesFollowFromTheStep() {
    let point = Self.point()
    #expect(point.tokensPerSecond == 4096 && point.communicationShare == 0.2)
    #expect(point.isPowerOfTwo && point.isSameModel(as: point.onRanks(8, isWeak: true)))
    var other = point
    (other.ranks, other.length) = (3, 64)
    #expect(!other.isPowerOfTwo && !other.isSameModel(as: point))
  }
}
