import ArgumentParser
import Platform
import Reports

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
      let report = ScalingReport(study: try ScalingStudy(path: file))
      try AtomicFile.write([
        (csv, Array(report.csv.utf8)), (picture, Array(ScalingPicture(report).svg.utf8)),
      ])
      StandardOutput.print(report.text)
    }
  }
}
