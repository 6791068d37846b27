import ArgumentParser
import Foundation
import Platform
import Reports

/// `electra report`: runs and fine-tunings as one HTML page.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Writes an HTML page: curves, comparisons, health, held-out and fine-tuning results.",
    discussion: """
      The page is self-contained and needs no network. Runs and fine-tunings up to two folders \
      below the given ones are included, and so are unfinished runs.
      """)

  @Argument(help: "Folders of runs and fine-tunings, or folders that contain them.")
  var folders: [String]

  @Option(help: "The page to write; it must not exist.")
  var output: String

  func run() throws {
    try runOnOneRank {
      try AtomicFile.expectFree(output)
      let subjects = try ReportSubjects(folders)
      try AtomicFile.write(ReportPage(subjects).html.utf8, to: output)
      StandardOutput.print(
        "\(output): \(subjects.runs.count.of("run")), "
          + subjects.finetunings.count.of("fine-tuning"))
    }
  }
}
