import ArgumentParser
import Platform
import Reports

/// `electra runs`: the progress of runs and fine-tunings as a table.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Lists runs and fine-tunings: state, step, loss, speed and last heartbeat.",
    discussion: """
      Runs and fine-tunings up to two folders below the given ones are included. A run is killed \
      if its process has ended without a last heartbeat, and silent if it runs on other hosts and \
      has given no heartbeat for two minutes.
      """)

  @Argument(help: "Folders of runs and fine-tunings, or folders that contain them.")
  var folders: [String]

  @Flag(help: "Print a JSON array with an object per run.")
  var json = false

  func run() throws {
    try runOnOneRank {
      let list = try RunList(folders)
      if json { return try StandardOutput.print(list.runs.json()) }
      list.lines.forEach(StandardOutput.print)
    }
  }
}
