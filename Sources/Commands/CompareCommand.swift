import ArgumentParser
import Foundation
import Platform
import Reports

/// `electra compare`: compares pre-trained systems by the scores of their fine-tunings.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares pre-trained systems by the scores of their fine-tunings.",
    discussion: """
      The file is one that a program in Launch/studies wrote: systems, and the scores of their \
      runs. Printed are means and standard deviations over seeds and, where the study compares \
      systems, the differences with 95 % intervals. Existing output files are replaced.
      """)

  @Argument(help: "The study file, in JSON.")
  var study: String

  @Option(help: "The table as CSV.")
  var csv: String

  @Option(help: "The chart as SVG.")
  var picture: String

  func run() throws {
    try runOnOneRank {
      let report = StudyReport(study: try Study(path: study))
      try AtomicFile.write(
        [(csv, Array(report.csv.utf8)), (picture, Array(StudyPicture(report.study).svg.utf8))],
        replacing: true)
      StandardOutput.print(report.text)
    }
  }
}
