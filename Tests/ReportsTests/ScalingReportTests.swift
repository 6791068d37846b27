import Foundation
import Reports
import TestSupport
import Testing

/// Tables and pictures of points generated from a model, so that every value is known.
struct ScalingReportTests {
  private static let model = ScalingModel(
    secondsPerToken: 4e-4, secondsPerMessage: 2e-3, secondsPerByte: 1e-8)

  /// A weak or strong study on `ranks` with `workersPerCore`.
  private static func report(
    _ ranks: [Int], workersPerCore: [Double], isWeak: Bool = true
  ) -> ScalingReport {
    var one = ScalingPoint()
    (one.batch, one.length, one.rankTokens) = (16, 128, 2048)
    (one.microBatchTokens, one.vectorBytes, one.buckets) = (1024, 72_000_000, 10)
    one.hideableShare = 0.75
    let points = zip(ranks, workersPerCore).map { count, sharing in
      var point = one.onRanks(count, isWeak: isWeak)
      point.workersPerCore = sharing
      (point.seconds, point.reductionSeconds) = (model.seconds(point), model.exposed(point))
      return point
    }
    return ScalingReport(study: ScalingStudy(points))
  }

  private static let report = report([1, 2, 4, 8], workersPerCore: [1, 1, 2, 4])

  @Test
  func aRowHasTheFiguresOfItsPoint() throws {
    let rows = Self.report.csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let column = { (name: String) throws -> Int in try #require(rows[0].firstIndex(of: name)) }
    #expect(rows.allSatisfy { $0.count == rows[0].count })
    #expect(
      rows.dropFirst().map(\.[0]) == ["1", "2", "4", "8"] + (0...10).map { "\(1 << $0)" })
    let roles = rows.dropFirst().map { $0[rows[0].count - 1] }
    #expect(
      roles == ["fit", "fit", "fit", "check"] + Array(repeating: "prediction", count: 7)
        + Array(repeating: "extrapolation", count: 4))
    // One rank computes for 2048 x 4e-4 s and sends nothing.
    #expect(rows[1][try column("measured_seconds")] == "0.8192")
    #expect(rows[1][try column("measured_tokens_per_second")] == "2500")
    #expect(rows[1][try column("efficiency")] == "1.0000")
    // Eight ranks share cores: their corrected time equals the prediction.
    let measured = try #require(Double(rows[4][try column("seconds")]))
    let predicted = try #require(Double(rows[8][try column("model_seconds")]))
    // The file has six digits.
    #expect(abs(measured / predicted - 1) < 1e-5)
  }

  @Test
  func theTextNamesTheFitItsCheckAndItsLimits() {
    let text = Self.report.text
    for part in [
      "weak scaling, 1 to 8 ranks x 1 thread on one host, 16 sequences of 128 tokens per rank",
      "fit: 400.0 us per token of a rank, 2.00 ms per message, 100 MB/s sent per rank",
      "check: held out 8 ranks from the fit; the largest error there is 0.0 %",
      "on 8 ranks 4.0 threads shared a core", "1024 ranks: ", "extrapolated far beyond",
    ] {
      #expect(text.contains(part), "\(part)\n\(text)")
    }
  }

  @Test
  func aStudyOfFewPointsHasNoCheck() {
    let text = Self.report([1, 2], workersPerCore: [1, 1], isWeak: false).text
    #expect(text.contains("check: none; the fit needs all points"))
    #expect(text.contains("strong scaling, 1 to 2 ranks"))
    #expect(text.contains("a batch of 16 sequences allows at most 16 ranks"))
    #expect(!text.contains("shared a core"))
  }

  @Test
  func thePictureHasEveryPointInEveryPanel() throws {
    let page = try #require(Elements(ScalingPicture(Self.report).svg))
    // Three panels of four points, two panels with two uncorrected points, and three in the legend.
    #expect(page.counts["circle"] == 3 * 4 + 2 * 2 + 3)
    #expect(page.text.contains("extrapolated") && page.text.contains("held out from the fit"))
    #expect(page.text.contains("communication share of a step"))
    let few = Self.report([1, 2], workersPerCore: [1, 1])
    #expect(try #require(Elements(ScalingPicture(few).svg)).counts["circle"] == 3 * 2 + 2)
  }
}
