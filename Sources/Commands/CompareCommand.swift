import ArgumentParser
import Foundation
import Platform
import Reports

/// `electra compare`: which pre-training is best to fine-tune, and whether the paper's order shows.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares pre-trained systems by the scores of their fine-tunings.",
    discussion: """
      The file has a line for each system, with tabs between: the question that it belongs to, its \
      name, what the paper says of it, its place in the paper's order (1 is best; - is none), and the \
      folder with its pre-training in `run` and a folder of `electra finetune` for each task. \
      Launch/studies/ablations.py and Launch/studies/pretraining-pays.py make one. Scores are the tasks' first metrics \
      on dev data, times 100: mean and deviation over seeds. Files that are there are written anew, \
      since a study grows.
      """)

  @Argument(help: "The compared systems, a line each.")
  var study: String

  @Option(help: "The table as CSV.")
  var csv: String

  @Option(help: "The picture, as SVG.")
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
