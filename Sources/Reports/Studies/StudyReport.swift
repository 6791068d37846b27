import Foundation
import Platform
import Tensors

/// A study as Markdown tables and as CSV, with its differences and its agreement with the paper.
package struct StudyReport {
  package let study: Study

  package init(study: Study) {
    self.study = study
  }

  /// For each question a table of its systems, those with diverged runs, the differences that the
  /// study asks for, and a sentence on the order of the systems; at the end what the deviations
  /// are.
  package var text: String {
    let parts = study.questions.map { question in
      let systems = study.systems(of: question)
      return
        (["### \(question)", "", table(systems)] + diverged(systems) + differences(question)
        + agreement(systems).sentences).joined(separator: "\n")
        .trimmingCharacters(in: .newlines)
    }
    return (parts + [notes]).joined(separator: "\n\n")
  }

  private var hasPaper: Bool { study.systems.contains { $0.paper != nil } }
  private var hasCoreSeconds: Bool { study.runs.contains { $0.coreSeconds != nil } }

  private func table(_ systems: [Study.System]) -> String {
    let head =
      ["system"] + (hasPaper ? ["the paper"] : []) + ["mean"] + study.scores + study.measures
      + ["steps", "operations", hasCoreSeconds ? "core-hours" : "hours"]
    let rows = systems.map { system in
      [system.name] + (hasPaper ? [system.paper ?? ""] : []) + [cell(study.means(system))]
        + study.scores.map { cell(study.sample(system, $0)) }
        + study.measures.map { cell(study.sample(system, $0), digits: 3) } + cost(system)
    }
    return markdown(head, rows)
  }

  /// Steps, operations in products and mean hours of the pre-trainings of a system.
  private func cost(_ system: Study.System) -> [String] {
    let runs = study.runs(of: system)
    return [
      runs.compactMap(\.steps).first?.grouped ?? "-",
      // A run that diverged has none.
      runs.compactMap(\.operations).first.map { String(format: "%.2e", $0) } ?? "-",
      hours(system).map { String(format: "%.2f", $0) } ?? "-",
    ]
  }

  private func hours(_ system: Study.System) -> Double? {
    let seconds = study.runs(of: system).filter { $0.resumed != true }
      .compactMap { $0.coreSeconds ?? $0.seconds }
    return seconds.isEmpty ? nil : seconds.mean / 3600
  }

  /// A sentence on the runs that diverged; none if none did.
  private func diverged(_ systems: [Study.System]) -> [String] {
    let names = systems.compactMap { system -> String? in
      let seeds = study.divergedSeeds(system).map(String.init)
      return seeds.isEmpty ? nil : "\(system.name) (seed \(seeds.joined(separator: ", ")))"
    }
    return names.isEmpty
      ? [] : ["Diverged, and not in the means: \(names.joined(separator: "; ")).\n"]
  }

  private func differences(_ question: String) -> [String] {
    let rows = study.differences(of: question).map { difference in
      [
        difference.name, difference.against, String(format: "%+.2f", difference.mean),
        difference.interval.map {
          String(format: "%+.2f to %+.2f", $0.lowerBound, $0.upperBound)
        } ?? "-", difference.result,
      ]
    }
    let head = ["system", "compared with", "difference of means", "95 % interval", "result"]
    return rows.isEmpty ? [] : [markdown(head, rows)]
  }

  private var notes: String {
    var notes = [
      "The mean is that of \(study.decisiveScores.joined(separator: " and ")).",
      "Standard deviations are over \(study.seeds) seeds"
        + (study.seeds == "fine-tuning" ? "; each system is pre-trained once." : "."),
    ]
    if study.questions.contains(where: { !study.differences(of: $0).isEmpty }) {
      notes += ["Intervals are those of Welch's t-test."] + study.rules
    }
    return notes.joined(separator: " ")
  }

  private func markdown(_ head: [String], _ rows: [[String]]) -> String {
    let rule = head.indices.map { $0 == 0 ? "---" : "--:" }
    return ([head, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
      .joined(separator: "\n") + "\n"
  }

  private func cell(_ sample: Sample, digits: Int = 1) -> String {
    guard let mean = sample.mean else { return "-" }
    let deviation = String(format: " ± %.\(digits)f", sample.standardDeviation)
    return String(format: "%.\(digits)f", mean) + (sample.values.count > 1 ? deviation : "")
  }

  /// One line per system, with mean and standard deviation of each score and measure.
  package var csv: String {
    let columns = study.scores + study.measures
    let head =
      ["study", "system", "paper", "place", "steps", "operations", "hours", "seeds", "mean", "sd"]
      + columns.flatMap { [$0, "\($0), sd"] }
    let rows = study.systems.map { system in
      labels(system) + figures(study.means(system))
        + columns.flatMap { figures(study.sample(system, $0)) }
    }
    return ([head] + rows).map { $0.map(\.inCSV).joined(separator: ",") + "\n" }.joined()
  }

  /// The fields of a line before its scores.
  private func labels(_ system: Study.System) -> [String] {
    let runs = study.runs(of: system)
    return [
      system.question, system.name, system.paper ?? "", system.rank.map(String.init) ?? "",
      runs.compactMap(\.steps).first.map { String($0) } ?? "",
      runs.compactMap(\.operations).first.map { String(format: "%.6g", $0) } ?? "",
      hours(system).map { String(format: "%.4f", $0) } ?? "",
      "\(study.means(system).values.count)",
    ]
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
        guard let rank = system.rank, !sample.values.isEmpty else { return nil }
        return Agreement.Entry(name: system.name, paperRank: rank, sample: sample)
      })
  }
}

extension String {
  /// The text as a field of CSV, in quotes if necessary.
  fileprivate var inCSV: String {
    contains { ",\"\n".contains($0) } ? "\"\(replacingOccurrences(of: "\"", with: "\"\""))\"" : self
  }
}
