import Foundation
import Reports
import Testing
import Training

struct ScalingModelTests {
  private static let truth = ScalingModel(
    secondsPerToken: 4e-4, secondsPerMessage: 2e-4, secondsPerByte: 1e-8)

  /// A step of a model of 72 MB in ten buckets, with two micro-batches per rank in weak scaling.
  private static func point(
    _ ranks: Int, isWeak: Bool = true, workersPerCore: Double = 1, model: ScalingModel = truth,
    noise: Double = 0
  ) -> ScalingPoint {
    var one = ScalingPoint()
    (one.batch, one.length) = (isWeak ? 16 : 256, 128)
    (one.rankTokens, one.microBatchTokens) = (isWeak ? 2048 : 32_768, 1024)
    (one.vectorBytes, one.buckets, one.hideableShare) = (72_000_000, 10, 0.75)
    var point = one.onRanks(ranks, isWeak: isWeak)
    point.workersPerCore = workersPerCore
    point.seconds = model.seconds(point) * (1 + noise)
    point.reductionSeconds = model.exposed(point)
    return point
  }

  private static func isClose(_ a: ScalingModel, _ b: ScalingModel, within: Double) -> Bool {
    [\ScalingModel.secondsPerToken, \.secondsPerMessage, \.secondsPerByte].allSatisfy {
      abs(a[keyPath: $0] - b[keyPath: $0]) <= within * abs(b[keyPath: $0])
    }
  }

  /// At 9e-8 s per byte the traffic exceeds the window; at 1e-10 all of it overlaps that can.
  @Test(arguments: [9e-8, 1e-8, 1e-10], [true, false])
  func thePricesThatMadeThePointsAreFound(secondsPerByte: Double, isWeak: Bool) {
    let truth = ScalingModel(
      secondsPerToken: 4e-4, secondsPerMessage: 2e-3, secondsPerByte: secondsPerByte)
    let points = [1, 2, 4, 8].map { Self.point($0, isWeak: isWeak, model: truth) }
    #expect(Self.isClose(ScalingModel(points), truth, within: 1e-6))
  }

  /// Workers that share a core do not change the fitted time per token.
  @Test
  func turnsOnACoreAreNotTakenForDearComputing() {
    let points = [(1, 1.0), (2, 1), (4, 2), (8, 4)].map {
      Self.point($0.0, workersPerCore: $0.1)
    }
    #expect(Self.isClose(ScalingModel(points), Self.truth, within: 1e-6))
    let study = ScalingStudy(points)
    #expect(abs(study.dedicatedCoreSeconds(points[3]) - Self.truth.seconds(Self.point(8))) < 1e-6)
  }

  /// Errors of up to 2 % in the steps change the prediction for 64 ranks by less than 10 %.
  @Test
  func noiseMovesThePredictionsALittle() {
    let noise = [0.02, -0.02, 0.01, -0.01]
    let points = zip([1, 2, 4, 8], noise).map { Self.point($0, noise: $1) }
    let predicted = ScalingModel(points).seconds(Self.point(64))
    #expect(abs(predicted / Self.truth.seconds(Self.point(64)) - 1) < 0.1)
  }

  /// Coefficients stay non-negative even for steps that get faster with more traffic.
  @Test
  func noPriceIsNegative() {
    let points = [1, 2, 4, 8].map { Self.point($0, noise: -0.1 * log2(Double($0))) }
    let model = ScalingModel(points)
    #expect(
      model.secondsPerToken > 0 && model.secondsPerMessage >= 0 && model.secondsPerByte >= 0)
  }

  /// The largest number of ranks and three ranks are held out, and their error is reported.
  @Test
  func pointsThatWereKeptBackJudgeTheFit() {
    var points = [1, 2, 4, 8].map { Self.point($0) } + [Self.point(2)]
    points[4].ranks = 3
    points[3].seconds *= 1.25
    let study = ScalingStudy(points)
    #expect(study.points.filter(study.isHeldOut).map(\.ranks) == [3, 8])
    #expect(Self.isClose(study.model, Self.truth, within: 1e-6))
    #expect(abs((study.checkError ?? 0) - 0.2) < 1e-6)
    let few = ScalingStudy([1, 2].map { Self.point($0) })
    #expect(few.checkError == nil)
  }

  /// A batch that grows with the ranks is weak scaling; strong scaling ends at one sequence per
  /// rank.
  @Test
  func predictionsKeepToTheKindOfScaling() {
    let weak = ScalingStudy([1, 2, 4].map { Self.point($0) })
    let strong = ScalingStudy([1, 2, 4].map { Self.point($0, isWeak: false) })
    #expect(weak.isWeak && !strong.isWeak)
    #expect(weak.predictions.last?.ranks == 1024 && strong.predictions.last?.ranks == 256)
    #expect(weak.predictions.allSatisfy { $0.rankTokens == 2048 })
    #expect(strong.predictions.allSatisfy { $0.rankTokens * $0.ranks == 32_768 })
    #expect(abs(weak.efficiency(weak.points[0], seconds: weak.points[0].seconds) - 1) < 1e-9)
  }
}
