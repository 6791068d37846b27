import Foundation
import Platform
import Training

/// A scaling study in words, as a table and as CSV.
package struct ScalingReport {
  let study: ScalingStudy

  package init(study: ScalingStudy) {
    self.study = study
  }

  /// A row of the table: a measured point, or a prediction.
  struct Row {
    let point: ScalingPoint
    /// As measured; nil in predictions.
    let measured: Double?
    /// With a core for every lane: what was measured without the turns of lanes, or what the model
    /// says.
    let seconds: Double
    let efficiency: Double
    /// Of the step on cores of its own.
    let communication: Double
    let role: Role

    var tokensPerSecond: Double { Double(point.batch * point.length) / seconds }
  }

  enum Role: String {
    case fit, check, prediction, extrapolation
  }

  var rows: [Row] {
    study.points.map { point in
      let seconds = study.ownCoreSeconds(point)
      let computing = study.model.computing(point) / point.lanesPerCore
      return Row(
        point: point, measured: point.seconds, seconds: seconds,
        efficiency: study.efficiency(point, seconds: seconds),
        communication: max(0, 1 - computing / seconds),
        role: study.isKeptBack(point) ? .check : .fit)
    } + predictions
  }

  /// What the model says of powers of two.
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

  /// A line a row; seconds and tokens a second are those with a core for every lane.
  package var csv: String {
    let head =
      "ranks,hosts,lanes,lanes_per_core,batch,length,measured_seconds,measured_tokens_per_second,"
      + "seconds,tokens_per_second,efficiency,communication_share,model_seconds,role"
    let lines = rows.map { row in
      let point = row.point
      let measured = row.measured.map {
        String(format: "%.6g,%.6g", $0, Double(point.batch * point.length) / $0)
      }
      return "\(point.ranks),\(row.measured == nil ? "" : "\(point.hosts)"),\(point.lanes),"
        + String(format: "%.4g", point.lanesPerCore) + ",\(point.batch),\(point.length),"
        + (measured ?? ",") + ","
        + String(
          format: "%.6g,%.6g,%.4f,%.4f,%.6g", row.seconds, row.tokensPerSecond, row.efficiency,
          row.communication, study.model.seconds(point))
        + ",\(row.role.rawValue)"
    }
    return ([head] + lines).joined(separator: "\n") + "\n"
  }

  /// For the screen.
  package var text: String {
    ([title, table] + remarks + ["", outlook]).joined(separator: "\n")
  }

  var title: String {
    let (first, last) = (study.points[0], study.points[study.points.count - 1])
    let hosts = study.points.map(\.hosts).max() ?? 1
    return (study.isWeak ? "weak" : "strong") + " scaling, \(first.ranks) to \(last.ranks) ranks x "
      + "\(first.lanes) \(first.lanes == 1 ? "lane" : "lanes") on "
      + "\(hosts == 1 ? "one host" : "up to \(hosts) hosts"), "
      + (study.isWeak
        ? "\(first.batch / first.ranks) sequences of \(first.length) tokens a rank"
        : "\(first.batch) sequences of \(first.length) tokens in all")
  }

  private var table: String {
    let head =
      "ranks  lanes/core  measured s  own cores s  tokens/s  efficiency  communication  model"
    let lines = rows.filter { $0.measured != nil }.map { row in
      String(
        format: "%5d  %10.1f  %10.3f  %11.3f  %8.0f  %8.0f %%  %11.0f %%  %+4.1f %% %@",
        row.point.ranks, row.point.lanesPerCore, row.measured ?? 0, row.seconds,
        row.tokensPerSecond, 100 * row.efficiency, 100 * row.communication,
        100 * study.model.error(row.point), row.role == .check ? "(kept back)" : "(fitted)")
    }
    return ([head] + lines).joined(separator: "\n")
  }

  /// What the figures stand on, a sentence each.
  var remarks: [String] {
    let model = study.model
    let rate =
      model.secondsPerByte > 0
      ? String(format: "%.0f MB/s sent by a rank", 1e-6 / model.secondsPerByte)
      : "no price a byte"
    var result = [
      String(
        format: "fit: %.1f us a token of a rank, %.2f ms a message, ", 1e6 * model.secondsPerToken,
        1e3 * model.secondsPerMessage) + rate
        + "; all but the embeddings hides behind a micro-batch's computing"
    ]
    if let error = study.checkError {
      let kept = Set(study.points.filter(study.isKeptBack).map(\.ranks)).sorted()
      result.append(
        "check: \(kept.map(String.init).joined(separator: ", ")) ranks were kept back from the fit, "
          + String(format: "which is off there by at most %.1f %%", 100 * error))
    } else {
      result.append(
        "check: none; the fit needs all points, so its error is not known: measure more ranks")
    }
    return result + sharedCores + limits
  }

  private var sharedCores: [String] {
    guard let most = study.points.max(by: { $0.lanesPerCore < $1.lanesPerCore }),
      most.lanesPerCore > 1
    else { return [] }
    return [
      String(
        format: "shared cores: on %d ranks %.1f lanes took turns on a core; ", most.ranks,
        most.lanesPerCore)
        + "the figures divide computing by that, which no run has shown",
      "a message to a rank that is off its core waits for it: latency is an upper bound, and so is "
        + "the communication of many ranks",
    ]
  }

  private var limits: [String] {
    let beyond =
      study.isWeak
      ? nil
      : study.predictions.last.map { last in
        "\(study.points[0].batch) sequences are not enough for more than \(last.ranks) ranks"
      }
    return [
      "not seen: stragglers, switches that all hosts fill together, memory shared by more lanes"
    ] + [beyond].compactMap(\.self)
  }

  /// The predictions that the study was made for.
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
