import ArgumentParser
import Foundation
import Platform
import Reports
import Runs
import Training

/// `electra benchmark scaling`: what steps on 1 to N ranks say of more ranks.
struct BenchmarkScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Fits computing, latency and bandwidth to measured steps, and draws the scaling.",
    discussion: """
      The file has a line of `electra benchmark step --json` for each number of ranks; \
      Launch/scaling/weak-scaling.sh and Launch/scaling/strong-scaling.sh make one. The largest number of ranks and \
      those that are no powers of two are kept back from the fit, to check it. Where lanes shared \
      cores, the figures say what each would do with a core of its own.
      """)

  @Argument(help: "The measured steps, a line of JSON each.")
  var file: String

  @Option(help: "A table of all points and predictions, as CSV.")
  var csv: String

  @Option(help: "The picture, as SVG.")
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
        point.isSound
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

/// What keeps measured steps from being read or told of.
enum ScalingError: Error, CustomStringConvertible {
  case notAStep(path: String, line: Int)
  case mixed(path: String, ranks: Int, others: Int)

  var description: String {
    switch self {
    case .notAStep(let path, let line):
      "line \(line) of \(path) is no measured step; electra benchmark step --json makes one"
    case .mixed(let path, let ranks, let others):
      "\(path) mixes models, lengths or lanes: \(ranks) and \(others) ranks did not take the same "
        + "step; measure all with the same options"
    }
  }
}
