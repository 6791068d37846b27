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
      The file has one line per system with five fields, separated by tabs: question, name, the \
      paper's result, rank in the paper (1 is the best; - is none), and the folder with the \
      pre-training in `run` and a folder of `electra finetune` per task. \
      Launch/studies/ablations.py and Launch/studies/pretraining-pays.py write such a file. Scores \
      are the first metric of each task on dev data, times 100: mean and standard deviation over \
      seeds. Existing output files are replaced.
      """)

  @Argument(help: "The study file, one line per system.")
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
