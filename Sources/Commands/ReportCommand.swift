import ArgumentParser
import Foundation
import Platform
import Reports

/// `electra report`: runs as a page to look at.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Makes one page of runs: curves, comparisons, health, held-out and fine-tuning results.",
    discussion: """
      The page needs nothing beside itself and no network. Runs and fine-tunings that lie inside the \
      folders are found; a run that is still going on can be reported too.
      """)

  @Argument(help: "Folders of runs and fine-tunings, or folders that hold such.")
  var folders: [String]

  @Option(help: "The page to write.")
  var output: String

  func run() throws {
    try runOnOneRank {
      try AtomicFile.expectFree(output)
      let subjects = try ReportSubjects(folders)
      try AtomicFile.write(ReportPage(subjects).html.utf8, to: output)
      func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
      }
      StandardOutput.print(
        "\(output): \(count(subjects.runs.count, "run", "runs")), "
          + count(subjects.finetunings.count, "fine-tuning", "fine-tunings"))
    }
  }
}
