import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// The tables of a report.
struct ReportTables {
  let subjects: ReportSubjects
  private var runs: [ReportedRun] { subjects.runs }

  init(_ subjects: ReportSubjects) { self.subjects = subjects }

  /// The model and the progress of each run.
  var overview: ReportTable {
    let facts = runs.map(Self.facts)
    let names = facts.first?.map(\.name) ?? []
    return ReportTable(
      head: [""] + heads { _ in "" },
      rows: names.indices.filter { row in facts.contains { !$0[row].value.isEmpty } }.map { row in
        [.init(names[row])] + facts.map { .init($0[row].value, note: $0[row].note) }
      })
  }

  private func heads(_ note: (ReportedRun) -> String) -> [ReportTable.Cell] {
    runs.map { .init($0.name, note: note($0)) }
  }

  private static func facts(_ run: ReportedRun) -> [(name: String, value: String, note: String)] {
    let (configuration, last) = (run.configuration, run.last)
    let (recipe, model) = (configuration.recipe, configuration.model)
    let (preset, differences) = run.nearest
    let phase = run.branch == nil ? configuration.phaseInWords : nil
    let count = configuration.makeModel().layout.parameterCount
    let done = last?.step ?? 0
    let seconds = last?[.seconds] ?? 0
    func size(_ encoder: EncoderSizes) -> String { "\(encoder.hiddenSize) x \(encoder.layerCount)" }
    let speeds = run.training.compactMap { $0[.tokensPerSecond] }
    return [
      (
        "model", run.name(preset),
        differences.isEmpty ? "" : "\(differences.count) settings differ"
      ),
      ("branched from", run.branch?.origin ?? "", run.branch?.inWords ?? ""),
      ("phase", phase?.position ?? "", phase?.changes ?? ""),
      ("parameters", count.grouped, ""),
      ("discriminator", size(model.discriminator), ""),
      ("generator", recipe.task.hasGenerator ? size(model.generator) : "none", ""),
      ("objective", recipe.task.objective.rawValue, ""),
      ("arithmetic", configuration.arithmetic.rawValue, ""),
      ("exchange", configuration.exchange.rawValue, ""),
      ("batch", "\(recipe.batchSize) x \(recipe.length)", ""),
      (
        "steps", done.grouped,
        done >= configuration.steps ? "all" : "of \(configuration.steps.grouped)"
      ),
      ("tokens", Double(last?.tokens ?? 0).shortened, ""),
      ("time in steps", ProgressLog.duration(seconds), ""),
      (
        "tokens per second", speeds.isEmpty ? "-" : Int(bounded: speeds.median).grouped,
        speeds.isEmpty ? "" : "median"
      ),
    ]
  }

  /// The last held-out metrics, with the published ones after the same number of tokens; nil
  /// without any.
  var heldOut: ReportTable? {
    let lasts = runs.map(\.heldOut.last)
    guard lasts.contains(where: { $0 != nil }) else { return nil }
    let metrics = ReportMetric.learning.filter { metric in
      lasts.contains { $0?[named: metric.name] != nil }
    }
    return ReportTable(
      head: ["last held-out metrics"]
        + heads { run in run.heldOut.last.map { "after step \($0.step.grouped)" } ?? "" },
      rows: metrics.map { metric in
        let values = lasts.map { $0?[named: metric.name] }
        let best = Self.best(values.compactMap(\.self), metric)
        return [.init(metric.title)]
          + zip(runs, values).map { run, value in
            guard let value else { return "-" }
            return .init(
              metric.text(value), isBest: value == best,
              note: Self.published(metric, run).map { "published \($0)" } ?? "")
          }
      })
  }

  /// The best of several values; nil for fewer than two or without a better direction.
  private static func best(_ values: [Double], _ metric: ReportMetric) -> Double? {
    guard values.count > 1, let higherIsBetter = metric.higherIsBetter else { return nil }
    return higherIsBetter ? values.max() : values.min()
  }

  private static func published(_ metric: ReportMetric, _ run: ReportedRun) -> String? {
    guard run.configuration.isJointElectra, let step = run.heldOut.last?.step,
      let tokens = run.tokens(at: step)
    else { return nil }
    return MetricName(rawValue: metric.name)
      .flatMap { PublishedCurve.value(of: $0, tokens: Int(bounded: tokens)) }.map(metric.text)
  }

  /// The settings that differ between runs, or between a single run and the nearest preset.
  var settings: ReportTable? {
    guard runs.count > 1 else {
      guard let run = runs.first else { return nil }
      let (preset, differences) = run.nearest
      if differences.isEmpty { return nil }
      return ReportTable(
        head: ["setting", .init(run.name), .init("preset \(run.name(preset))")],
        rows: differences.map { [.init($0.key), .init($0.run), .init($0.preset)] })
    }
    let fields = runs.map(\.configuration.fields)
    let keys = Set(fields.flatMap(\.keys)).sorted().filter { key in
      Set(fields.map { $0[key] ?? "" }).count > 1
    }
    guard !keys.isEmpty else { return nil }
    return ReportTable(
      head: ["setting"] + heads { _ in "" },
      rows: keys.map { key in
        [.init(key)]
          + fields.map {
            let value = $0[key] ?? "-"
            return .init(key == "data_sha256" ? String(value.prefix(8)) : value)
          }
      })
  }

  /// The fine-tunings, grouped by task.
  var sortedFinetunings: [ReportedFinetuning] {
    subjects.finetunings.sorted { ($0.title, $0.name) < ($1.title, $1.name) }
  }

  /// One row per measure of each fine-tuning, grouped by task.
  var finetuning: ReportTable? {
    guard !subjects.finetunings.isEmpty else { return nil }
    return ReportTable(
      head: [
        "task", .init("measure", isText: true), .init("encoder", isText: true), "median", "mean",
        "standard deviation", .init("seeds or folds", isText: true),
      ],
      rows: sortedFinetunings.flatMap { finetuning in
        finetuning.results.measures.indices.map { index in
          let statistics = finetuning.results.statistics(index)
          let measure = finetuning.results.measures[index]
          func text(_ value: Double) -> String { String(format: "%.2f", value) }
          return [
            .init(finetuning.title, note: finetuning.name),
            .init(
              "\(measure.split) \(measure.metric.rawValue)".replacingOccurrences(
                of: "_", with: " "),
              isText: true),
            .init(origin(finetuning), isText: true),
            .init(text(statistics.median), isBest: true), .init(text(statistics.mean)),
            .init(statistics.values.count > 1 ? text(statistics.standardDeviation) : "-"),
            .init(statistics.values.map(text).joined(separator: "  "), isText: true),
          ]
        }
      })
  }

  private func origin(_ finetuning: ReportedFinetuning) -> String {
    if let (run, step) = subjects.origin(of: finetuning) {
      return "\(run.name), step \(step.grouped)"
    }
    return finetuning.encoder.isEmpty ? "new weights" : "another model (\(finetuning.encoder))"
  }
}
