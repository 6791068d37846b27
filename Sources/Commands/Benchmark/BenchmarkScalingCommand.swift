import ArgumentParser
import Foundation
import Platform
import Reports
import Runs
import Training

/// `electra benchmark scaling`: predicts steps on more ranks from steps on 1 to N ranks.
struct BenchmarkScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Fits computing, latency and bandwidth to measured steps, and draws the scaling.",
    discussion: """
      The file has a line of `electra benchmark step --json` per number of ranks; \
      Launch/scaling/weak-scaling.sh and Launch/scaling/strong-scaling.sh write one. The largest \
      number of ranks and those that are not powers of two are held out from the fit, to check it. \
      If threads shared cores, times are corrected to a core per thread.
      """)

  @Argument(help: "The measured steps, one JSON object per line.")
  var file: String

  @Option(help: "All points and predictions as CSV.")
  var csv: String

  @Option(help: "The chart as SVG.")
  var picture: String

  func run() throws {
    try runOnOneRank {
      for path in [csv, picture] { try AtomicFile.expectFree(path) }
      let report = ScalingReport(study: ScalingStudy(try points()))
      try AtomicFile.write([
        (csv, Array(report.csv.utf8)), (picture, Array(ScalingPicture(report).svg.utf8)),
      ])
      StandardOutput.print(report.text)
    }
  }

  private func points() throws -> [ScalingPoint] {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw FileError.missing(path: file)
    }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let points = try lines.enumerated().filter { !$0.element.isEmpty }.map { index, line in
      guard let point = try? JSONDecoder().decode(ScalingPoint.self, from: Data(line)),
        point.isValid
      else { throw ScalingError.notAStep(path: file, line: index + 1) }
      return point
    }
    guard let first = points.first else { throw ScalingError.notAStep(path: file, line: 1) }
    if let other = points.first(where: { !$0.isSameModel(as: first) }) {
      throw ScalingError.mixed(path: file, ranks: first.ranks, others: other.ranks)
    }
    return points
  }
}

/// An error in a file of measured steps.
enum ScalingError: Error, CustomStringConvertible {
  case notAStep(path: String, line: Int)
  case mixed(path: String, ranks: Int, others: Int)

  var description: String {
    switch self {
    case .notAStep(let path, let line):
      "line \(line) of \(path) is not a measured step; expected the output of "
        + "electra benchmark step --json"
    case .mixed(let path, let ranks, let others):
      "\(path) mixes models, arithmetic, lengths or numbers of threads: the steps of \(ranks) and "
        + "\(others) ranks differ; measure all with the same options"
    }
  }
}
