import ArgumentParser
import Finetuning
import Foundation
import Models
import Platform

/// `electra tasks`: prints the table of tasks for people and for scripts.
struct TasksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tasks", abstract: "Lists the tasks of `electra finetune`.")

  @Flag(help: "Print a JSON array with an object per task, including its files and columns.")
  var json = false

  func run() throws {
    try runOnOneRank {
      if json { return try StandardOutput.print(Task.all.map(Entry.init).json()) }
      var table = TextTable(
        ["task", "title", "problem", "epochs", "metrics"].map { ($0, .left) })
      for cells in Task.all.map(cells) { table.append(cells) }
      table.append(["own", "your files", "by --problem", "3", "by problem"])
      table.lines.forEach(StandardOutput.print)
    }
  }

  /// Name, title, problem, epochs if it can be trained, and metrics.
  private func cells(_ task: Task) -> [String] {
    let isTrained = task.splits.contains { $0.role == .training }
    return [
      task.name, task.title, task.problem.rawValue, isTrained ? "\(Int(task.epochs))" : "-",
      task.metrics.map(\.rawValue).joined(separator: ", "),
    ]
  }

  /// A task in the output of `--json`.
  private struct Entry: Encodable {
    let name, title: String
    /// The names of the task's folder in the downloads.
    let folders: [String]
    let problem: Problem
    let labels: [String]
    let metrics: [Metric]
    let epochs: Double
    let splits: [TaskSplit]

    init(_ task: Task) {
      (name, title, folders, problem) = (task.name, task.title, task.folders, task.problem)
      (labels, metrics, epochs, splits) = (task.labels, task.metrics, task.epochs, task.splits)
    }
  }
}
