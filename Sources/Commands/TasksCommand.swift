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
      for task in Task.all {
        let cells = [task.name, task.title, task.problem.rawValue]
        let padded = zip(cells, [10, 12, 16]).map { cell, width in
          cell.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        let metrics = task.metrics.map(\.rawValue).joined(separator: ", ")
        StandardOutput.print(padded.joined() + metrics)
      }
    }
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
