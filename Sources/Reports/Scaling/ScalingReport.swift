import Foundation
import Platform
import Training

/// A scaling study as text and as CSV.
package struct ScalingReport {
  let study: ScalingStudy

  package init(study: ScalingStudy) {
    self.study = study
  }

  /// A row of the table: a measured point or a prediction.
  struct Row {
    let point: ScalingPoint
    /// Measured seconds per step; nil for a prediction.
    let measured: Double?
    /// Seconds per step with a core per worker: measured and corrected, or predicted.
    let seconds: Double
    let efficiency: Double
    /// The share of communication in `seconds`.
    let communication: Double
    let role: Role

    var tokensPerSecond: Double { Double(point.batch * point.length) / seconds }
  }

  enum Role: String {
    case fit, check, prediction, extrapolation
  }

  /// The measured points and the predictions.
  var rows: [Row] {
    study.points.map { point in
      let seconds = study.dedicatedCoreSeconds(point)
      let computing = study.model.computing(point) / point.workersPerCore
      return Row(
        point: point, measured: point.seconds, seconds: seconds,
        efficiency: study.efficiency(point, seconds: seconds),
        communication: max(0, 1 - computing / seconds),
        role: study.isHeldOut(point) ? .check : .fit)
    } + predictions
  }

  /// The predictions of the model at powers of two.
  var predictions: [Row] {
    study.predictions.map { point in
      let seconds = study.model.seconds(point)
      return Row(
        point: point, measured: nil, seconds: seconds,
        efficiency: study.efficiency(point, seconds: seconds),
        communication: study.model.exposed(point) / seconds,
        role: point.ranks <= ScalingStudy.trusted ? .prediction : .extrapolation)
    }
  }

  /// One line per row; seconds and tokens per second are those with a core per worker.
  package var csv: String {
    let head =
      "ranks,hosts,lanes,lanes_per_core,batch,length,measured_seconds,measured_tokens_per_second,"
      + "seconds,tokens_per_second,efficiency,communication_share,model_seconds,role"
    let lines = rows.map { row in
      let point = row.point
      let measured = row.measured.map {
        String(format: "%.6g,%.6g", $0, Double(point.batch * point.length) / $0)
      }
      return "\(point.ranks),\(row.measured == nil ? "" : "\(point.hosts)"),\(point.workers),"
        + String(format: "%.4g", point.workersPerCore) + ",\(point.batch),\(point.length),"
        + (measured ?? ",") + ","
        + String(
          format: "%.6g,%.6g,%.4f,%.4f,%.6g", row.seconds, row.tokensPerSecond, row.efficiency,
          row.communication, study.model.seconds(point))
        + ",\(row.role.rawValue)"
    }
    return ([head] + lines).joined(separator: "\n") + "\n"
  }

  /// The report as text for people.
  package var text: String {
    ([title, table] + remarks + ["", outlook]).joined(separator: "\n")
  }

  /// The kind of scaling, the ranks and the batch.
  var title: String {
    let (first, last) = (study.points[0], study.points[study.points.count - 1])
    let hosts = study.points.map(\.hosts).max() ?? 1
    return (study.isWeak ? "weak" : "strong") + " scaling, \(first.ranks) to \(last.ranks) ranks x "
      + "\(first.workers) \(first.workers == 1 ? "thread" : "threads") on "
      + "\(hosts == 1 ? "one host" : "up to \(hosts) hosts"), "
      + (study.isWeak
        ? "\(first.batch / first.ranks) sequences of \(first.length) tokens per rank"
        : "\(first.batch) sequences of \(first.length) tokens in total")
  }

  private var table: String {
    let head =
      "ranks  threads/core  measured s  corrected s  tokens/s  efficiency  communication  model"
    let lines = rows.filter { $0.measured != nil }.map { row in
      String(
        format: "%5d  %12.1f  %10.3f  %11.3f  %8.0f  %8.0f %%  %11.0f %%  %+4.1f %% %@",
        row.point.ranks, row.point.workersPerCore, row.measured ?? 0, row.seconds,
        row.tokensPerSecond, 100 * row.efficiency, 100 * row.communication,
        100 * study.model.error(row.point), row.role == .check ? "(held out)" : "(fitted)")
    }
    return ([head] + lines).joined(separator: "\n")
  }

  /// The fit, its check and its limits, one sentence each.
  var remarks: [String] {
    let model = study.model
    let bandwidth =
      model.secondsPerByte > 0
      ? String(format: "%.0f MB/s sent per rank", 1e-6 / model.secondsPerByte)
      : "no cost per byte"
    var result = [
      String(
        format: "fit: %.1f us per token of a rank, %.2f ms per message, ",
        1e6 * model.secondsPerToken,
        1e3 * model.secondsPerMessage) + bandwidth
        + "; all traffic but the embeddings' overlaps with one micro-batch"
    ]
    if let error = study.checkError {
      let heldOut = Set(study.points.filter(study.isHeldOut).map(\.ranks)).sorted()
      result.append(
        "check: held out \(heldOut.map(String.init).joined(separator: ", ")) ranks from the fit; "
          + String(format: "the largest error there is %.1f %%", 100 * error))
    } else {
      result.append(
        "check: none; the fit needs all points, so its error is unknown: measure more ranks")
    }
    return result + sharedCores + limits
  }

  private var sharedCores: [String] {
    guard let most = study.points.max(by: { $0.workersPerCore < $1.workersPerCore }),
      most.workersPerCore > 1
    else { return [] }
    return [
      String(
        format: "shared cores: on %d ranks %.1f threads shared a core; ", most.ranks,
        most.workersPerCore)
        + "the corrected times divide computing by that, which no run has confirmed",
      "a message waits until its receiver runs on the core: latency is an upper bound, and so is "
        + "the communication of many ranks",
    ]
  }

  private var limits: [String] {
    let beyond =
      study.isWeak
      ? nil
      : study.predictions.last.map { last in
        "a batch of \(study.points[0].batch) sequences allows at most \(last.ranks) ranks"
      }
    return [
      "not modelled: stragglers, switches that all hosts saturate, memory shared by more threads"
    ] + [beyond].compactMap(\.self)
  }

  /// The predictions for 16, 64 and 1024 ranks.
  private var outlook: String {
    predictions.filter { [16, 64, 1024].contains($0.point.ranks) }.map { row in
      "\(row.point.ranks) ranks: \(Int(row.tokensPerSecond).grouped) tokens/s, "
        + String(
          format: "efficiency %.0f %%, communication %.0f %%", 100 * row.efficiency,
          100 * row.communication)
        + (row.role == .extrapolation ? " (extrapolated far beyond what was measured)" : "")
    }.joined(separator: "\n")
  }
}
