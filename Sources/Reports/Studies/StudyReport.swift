import Electra
import Finetuning
import Foundation
import Platform

/// A study as Markdown tables and as CSV, with its agreement with the paper.
package struct StudyReport {
  package let study: Study

  package init(study: Study) {
    self.study = study
  }

  /// A table per question, and a sentence on the order of its systems.
  package var text: String {
    study.questions.map { question in
      let systems = study.systems(of: question)
      return (["### \(question)", "", table(systems)] + agreement(systems).sentences)
        .joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private func table(_ systems: [Study.System]) -> String {
    let tasks = study.tasks
    let head =
      ["system", "the paper", "mean"] + tasks.map { "\($0.task.title) \($0.metric.words)" }
      + ["steps", "operations", "hours"]
    let rows = systems.map { system in
      [system.name, system.paper, cell(study.means(system))]
        + tasks.map { cell(system.sample($0.task)) }
        + (system.training.map {
          [
            $0.steps.grouped, String(format: "%.2e", $0.operations),
            String(format: "%.2f", $0.hours),
          ]
        } ?? ["-", "-", "-"])
    }
    let rule = head.indices.map { $0 == 0 ? "---" : "--:" }
    return ([head, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
      .joined(separator: "\n") + "\n"
  }

  private func cell(_ sample: Sample) -> String {
    guard let mean = sample.mean else { return "-" }
    return String(format: "%.1f", mean)
      + (sample.values.count > 1 ? String(format: " ± %.1f", sample.standardDeviation) : "")
  }

  /// One line per system, with mean and standard deviation per task.
  package var csv: String {
    let tasks = study.tasks
    let head =
      ["study", "system", "paper", "place", "steps", "operations", "hours", "seeds", "mean", "sd"]
      + tasks.flatMap { ["\($0.task.name)_\($0.metric.rawValue)", "\($0.task.name)_sd"] }
    let rows = study.systems.map { system in
      let means = study.means(system)
      return [system.question, system.name, system.paper, system.paperRank.map(String.init) ?? ""]
        + (system.training.map {
          ["\($0.steps)", String(format: "%.6g", $0.operations), String(format: "%.4f", $0.hours)]
        } ?? ["", "", ""])
        + ["\(means.values.count)"] + figures(means)
        + tasks.flatMap { figures(system.sample($0.task)) }
    }
    return ([head] + rows).map { $0.map(\.inCSV).joined(separator: ",") + "\n" }.joined()
  }

  private func figures(_ sample: Sample) -> [String] {
    guard let mean = sample.mean else { return ["", ""] }
    return [String(format: "%.4f", mean), String(format: "%.4f", sample.standardDeviation)]
  }

  /// The agreement of the systems of a question with the paper's order.
  func agreement(_ systems: [Study.System]) -> Agreement {
    Agreement(
      systems.compactMap { system in
        let sample = study.means(system)
        guard let paperRank = system.paperRank, !sample.values.isEmpty else { return nil }
        return Agreement.Entry(name: system.name, paperRank: paperRank, sample: sample)
      })
  }
}

extension Metric {
  /// The name of the metric in the head of a table.
  fileprivate var words: String {
    switch self {
    case .entityF1, .answerF1, .f1: "F1"
    case .exactMatch: "EM"
    default: rawValue.replacingOccurrences(of: "_", with: " ")
    }
  }
}

extension String {
  /// The text as a field of CSV, in quotes if necessary.
  fileprivate var inCSV: String {
    contains { ",\"\n".contains($0) } ? "\"\(replacingOccurrences(of: "\"", with: "\"\""))\"" : self
  }
}
