import Foundation
import Reports
import TestSupport
import Testing
import Training

/// `electra benchmark scaling` on generated and on measured steps.
struct ScalingTests {
  /// Lines of steps whose times come from a model.
  private func lines(_ ranks: [Int], workersPerCore: [Double]) throws -> String {
    let model = ScalingModel(
      secondsPerToken: 4e-4, secondsPerMessage: 2e-3, secondsPerByte: 1e-8)
    return try zip(ranks, workersPerCore).map { count, sharing in
      var one = ScalingPoint()
      (one.batch, one.length, one.rankTokens) = (16, 128, 2048)
      (one.microBatchTokens, one.vectorBytes, one.buckets) = (1024, 72_000_000, 10)
      one.hideableShare = 0.75
      var point = one.onRanks(count, isWeak: true)
      point.workersPerCore = sharing
      (point.seconds, point.reductionSeconds) = (model.seconds(point), model.exposed(point))
      return String(decoding: try JSONEncoder().encode(point), as: UTF8.self)
    }.joined(separator: "\n") + "\n"
  }

  private func study(_ folder: TemporaryFolder) throws -> Program.Result {
    try Program.run(
      [
        "benchmark", "scaling", "steps.jsonl", "--csv", "scaling.csv", "--picture", "scaling.svg",
      ], in: folder.path)
  }

  @Test
  func theTableHasEveryPointAndThePictureIsWellFormed() throws {
    let folder = try TemporaryFolder()
    try folder.write(try lines([1, 2, 4, 8], workersPerCore: [1, 1, 2, 4]), "steps.jsonl")
    let result = try study(folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("weak scaling, 1 to 8 ranks x 1 thread"))
    #expect(result.output.contains("held out 8 ranks from the fit"))
    #expect(result.output.contains("4.0 threads shared a core"))
    #expect(result.output.contains("1024 ranks"))
    #expect(result.output.contains("extrapolated far beyond what was measured"))

    let csv = try folder.text("scaling.csv")
    let rows = csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(rows.allSatisfy { $0.count == rows[0].count })
    #expect(
      rows.dropFirst().map { String($0[0]) }
        == ["1", "2", "4", "8"] + (0...10).map { "\(1 << $0)" })
    #expect(
      rows.dropFirst().compactMap(\.last) == ["fit", "fit", "fit", "check"]
        + Array(repeating: "prediction", count: 7) + Array(repeating: "extrapolation", count: 4))
    // The corrected times of measured points equal the predictions for a core per worker.
    for (measured, predicted) in zip(rows[1...4], rows[5...8]) {
      let corrected = try #require(Double(measured[8]))
      let expected = try #require(Double(predicted[8]))
      #expect(abs(corrected / expected - 1) < 1e-4)
    }

    let picture = try #require(Elements(try folder.text("scaling.svg")))
    #expect(picture.counts["svg"] == 1)
    // Three panels of four points, two panels with two uncorrected points, and three in the legend.
    #expect(picture.counts["circle"] == 3 * 4 + 2 * 2 + 3)
    #expect(picture.text.contains("extrapolated") && picture.text.contains("held out"))
  }

  /// Two measurements would take the same names for their hosts.
  @Test
  func aClusterOfAnotherMeasurementStaysUp() throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho \"$1\" >>calls\n[ \"$1\" != up ]\n", "Launch/lab/cluster.sh")
    try folder.write("#!/bin/sh\necho 0\n", "id")
    let result = try Program.shell(
      """
      cp -r "$0/scaling" "$0"/*.sh Launch
      chmod +x id Launch/lab/cluster.sh
      PATH=$PWD:$PATH Launch/scaling/weak-scaling.sh --cluster 1gbit --ranks 2
      echo "status $?"
      cat calls
      """, [Program.launch], in: folder.path)
    #expect(result.output == "status 1\nup\n", "\(result.output) \(result.errors)")
  }

  @Test
  func measuredStepsAreRead() throws {
    let folder = try TemporaryFolder()
    var lines = ""
    for ranks in [1, 2] {
      let step = try Program.run(
        [
          "benchmark", "step", "--preset", "tiny", "--objective", "electra", "--vocabulary-size",
          "500", "--length", "32",
          "--batch", "\(4 * ranks)", "--threads", "1", "--rounds", "1", "--without-peak", "--json",
        ], ranks: ranks, in: folder.path)
      #expect(step.status == 0, "\(step.errors)")
      lines += step.output
    }
    try folder.write(lines, "steps.jsonl")
    let result = try study(folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("its error is unknown"))
    let again = try study(folder)
    #expect(again.status == 73 && again.errors.contains("scaling.csv exists"))
  }

  @Test(arguments: [
    ("", 65, "line 1 of steps.jsonl is not a measured step"),
    ("{\"ranks\":1}\n", 65, "line 1 of steps.jsonl is not a measured step"),
  ])
  func whatIsNoStepIsRefused(text: String, status: Int32, sentence: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(text, "steps.jsonl")
    let result = try study(folder)
    #expect(result.status == status && result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test
  func stepsOfTwoModelsDoNotMakeAStudy() throws {
    let folder = try TemporaryFolder()
    let text = try lines([1, 2], workersPerCore: [1, 1])
    let other = text.replacingOccurrences(of: "72000000", with: "71000000")
    try folder.write(text + other, "steps.jsonl")
    let result = try study(folder)
    #expect(result.status == 65 && result.errors.contains("mixes models"), "\(result.errors)")
  }
}
