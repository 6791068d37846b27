import Foundation
import Platform
import Training

/// A scaling study as one SVG picture: tokens per second, efficiency and communication over ranks.
package struct ScalingPicture {
  private let report: ScalingReport
  private static let color = "#1f5fa8"
  private static let shared = "#d9822b"
  private static let ideal = "#999"
  private static let width = 1080.0

  package init(_ report: ScalingReport) { self.report = report }

  private var study: ScalingStudy { report.study }
  private var measured: [ScalingReport.Row] { report.rows.filter { $0.measured != nil } }
  private var predictions: [ScalingReport.Row] { report.predictions }
  private var mostRanks: Double {
    Double(max(2, predictions.last?.point.ranks ?? 1, study.points.last?.ranks ?? 1))
  }
  private var sharesCores: Bool { study.points.contains { $0.workersPerCore > 1 } }

  /// The picture as a self-contained file.
  package var svg: String {
    let footer = report.remarks
    let top = 520.0
    var picture = SVG()
    drawLegend(in: &picture)
    for chart in [throughputChart, efficiencyChart, communicationChart] { picture.add(chart.svg) }
    for (index, sentence) in footer.enumerated() {
      picture.text(sentence, (24, top + 18 * Double(index)), color: "dimgray")
    }
    return picture.document(
      title: report.title, width: Self.width, height: top + 18 * Double(footer.count),
      fontSize: 12)
  }

  private func drawLegend(in picture: inout SVG) {
    var entries = [
      (Self.color, true, "a core per worker: fitted"),
      (Self.color, false, "held out from the fit"),
    ]
    if sharesCores { entries.append((Self.shared, true, "as measured, workers sharing cores")) }
    var x = 30.0
    for (color, isFull, text) in entries {
      picture.circle(
        (x, 52), radius: 4.5, fill: isFull ? color : "white", stroke: SVG.Stroke(color))
      picture.text(text, (x + 11, 56))
      x += 40 + 6.3 * Double(text.count)
    }
    for (stroke, text) in [
      (SVG.Stroke(Self.color), "model"), (SVG.Stroke(Self.ideal, dash: "6 4"), "ideal"),
    ] {
      picture.line([(x, 52), (x + 26, 52)], stroke)
      picture.text(text, (x + 32, 56))
      x += 90
    }
  }

  private var throughputChart: Chart {
    let ideal = [1, mostRanks].map { (x: $0, y: $0 * study.baseRate) }
    let values =
      (measured + predictions).map(\.tokensPerSecond) + ideal.map(\.y)
      + measured.map { $0.point.tokensPerSecond }
    let low = pow(10, floor(log10(values.min() ?? 1)))
    let high = max(10 * low, pow(10, ceil(log10(values.max() ?? 10))))
    let decades = sequence(first: low) { $0 * 10 }.prefix { $0 <= high * 1.001 }
    var chart = Chart(
      "tokens per second", frame: (80, 100, 430, 360), x: ranks,
      y: ChartAxis(.logarithmic(low...high), ticks: Array(decades)) { Int($0.rounded()).grouped },
      shaded: extrapolated)
    chart.line(ideal, SVG.Stroke(Self.ideal, dash: "6 4"))
    drawModel(in: &chart, \.tokensPerSecond)
    for row in measured where row.point.workersPerCore > 1 {
      chart.mark(
        Double(row.point.ranks), row.point.tokensPerSecond, color: Self.shared, isFull: true)
    }
    mark(in: &chart, \.tokensPerSecond)
    return chart
  }

  private var efficiencyChart: Chart {
    var chart = share("efficiency", top: 100)
    chart.line([(x: 1, y: 1), (x: mostRanks, y: 1)], SVG.Stroke(Self.ideal, dash: "6 4"))
    drawModel(in: &chart, \.efficiency)
    mark(in: &chart, \.efficiency)
    return chart
  }

  private var communicationChart: Chart {
    var chart = share("communication share of a step", top: 310)
    drawModel(in: &chart, \.communication)
    for row in measured where row.point.workersPerCore > 1 {
      chart.mark(
        Double(row.point.ranks), row.point.communicationShare, color: Self.shared, isFull: true)
    }
    mark(in: &chart, \.communication)
    return chart
  }

  private func share(_ title: String, top: Double) -> Chart {
    Chart(
      title, frame: (610, top, 430, 150), x: ranks,
      y: ChartAxis(.linear(0...1), ticks: [0, 0.25, 0.5, 0.75, 1]) {
        "\(Int(($0 * 100).rounded())) %"
      }, shaded: extrapolated)
  }

  /// The horizontal axis, with ticks at powers of two.
  private var ranks: ChartAxis {
    let counts = sequence(first: 1.0) { $0 * 2 }.prefix { $0 <= mostRanks }
    return ChartAxis(.logarithmic(1...mostRanks), name: "ranks", ticks: Array(counts)) {
      "\(Int($0))"
    }
  }

  private var extrapolated: (from: Double, name: String) {
    (Double(ScalingStudy.trusted), "extrapolated")
  }

  /// Draws the model: solid up to `ScalingStudy.trusted` ranks, dotted beyond.
  private func drawModel(
    in chart: inout Chart, _ value: (ScalingReport.Row) -> Double
  ) {
    let points = predictions.map { (x: Double($0.point.ranks), y: value($0)) }
    let trusted = Double(ScalingStudy.trusted)
    chart.line(points.filter { $0.x <= trusted }, SVG.Stroke(Self.color))
    chart.line(points.filter { $0.x >= trusted }, SVG.Stroke(Self.color, dash: "2 4"))
  }

  private func mark(in chart: inout Chart, _ value: (ScalingReport.Row) -> Double) {
    for row in measured {
      chart.mark(
        Double(row.point.ranks), value(row), color: Self.color, isFull: row.role == .fit)
    }
  }
}
