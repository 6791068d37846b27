import Foundation
import Platform
import Training

/// A scaling study as one picture that needs nothing beside itself: tokens a second, efficiency and
/// the share of communication, against ranks.
package struct ScalingPicture {
  private let report: ScalingReport
  private static let own = "#1f5fa8"
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
  private var hasTurns: Bool { study.points.contains { $0.lanesPerCore > 1 } }

  package var svg: String {
    let footer = report.remarks
    let height = 520 + 18 * Double(footer.count)
    var parts = [
      #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Self.width.pixels) "#
        + #"\#(height.pixels)" width="\#(Int(Self.width))" height="\#(Int(height))" "#
        + #"font-family="sans-serif" font-size="12">"#,
      #"<rect width="100%" height="100%" fill="white"/>"#,
      #"<text x="24" y="30" font-size="17" font-weight="bold">\#(report.title.inXML)</text>"#,
      legend, rateChart.body, efficiencyChart.body, communicationChart.body,
    ]
    for (index, sentence) in footer.enumerated() {
      parts.append(
        #"<text x="24" y="\#((520 + 18 * Double(index)).pixels)" fill="dimgray">"#
          + "\(sentence.inXML)</text>")
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private var legend: String {
    var entries = [
      (Self.own, true, "a core for every lane: fitted"),
      (Self.own, false, "kept back from the fit"),
    ]
    if hasTurns { entries.append((Self.shared, true, "as measured, lanes taking turns")) }
    var (x, body) = (30.0, "")
    for (color, isFull, text) in entries {
      body +=
        #"<circle cx="\#(x.pixels)" cy="52" r="4.5" fill="\#(isFull ? color : "white")" "#
        + #"stroke="\#(color)" stroke-width="2"/><text x="\#((x + 11).pixels)" y="56">\#(text)</text>"#
      x += 40 + 6.3 * Double(text.count)
    }
    for (color, dash, text) in [(Self.own, "", "model"), (Self.ideal, "6 4", "ideal")] {
      body +=
        #"<line x1="\#(x.pixels)" y1="52" x2="\#((x + 26).pixels)" y2="52" stroke="\#(color)" "#
        + #"stroke-width="2" stroke-dasharray="\#(dash)"/>"#
        + #"<text x="\#((x + 32).pixels)" y="56">\#(text)</text>"#
      x += 90
    }
    return body
  }

  private var rateChart: Chart {
    let ideal = [1, mostRanks].map { (x: $0, y: $0 * study.baseRate) }
    let values =
      (measured + predictions).map(\.tokensPerSecond) + ideal.map(\.y)
      + measured.map { $0.point.tokensPerSecond }
    let low = pow(10, floor(log10(values.min() ?? 1)))
    let high = max(10 * low, pow(10, ceil(log10(values.max() ?? 10))))
    let decades = sequence(first: low) { $0 * 10 }.prefix { $0 <= high * 1.001 }
    var chart = Chart(
      "tokens a second", frame: (80, 100, 430, 360), x: ranks,
      y: ChartAxis(.logarithmic(low...high), ticks: Array(decades)) { Int($0.rounded()).grouped },
      shaded: extrapolated)
    chart.line(ideal, color: Self.ideal, dash: "6 4")
    drawModel(in: &chart, \.tokensPerSecond)
    for row in measured where row.point.lanesPerCore > 1 {
      chart.mark(
        Double(row.point.ranks), row.point.tokensPerSecond, color: Self.shared, isFull: true)
    }
    mark(in: &chart, \.tokensPerSecond)
    return chart
  }

  private var efficiencyChart: Chart {
    var chart = share("efficiency", top: 100)
    chart.line(
      [(x: 1, y: 1), (x: mostRanks, y: 1)], color: Self.ideal, dash: "6 4")
    drawModel(in: &chart, \.efficiency)
    mark(in: &chart, \.efficiency)
    return chart
  }

  private var communicationChart: Chart {
    var chart = share("communication's share of a step", top: 310)
    drawModel(in: &chart, \.communication)
    for row in measured where row.point.lanesPerCore > 1 {
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

  /// Powers of two.
  private var ranks: ChartAxis {
    let counts = sequence(first: 1.0) { $0 * 2 }.prefix { $0 <= mostRanks }
    return ChartAxis(.logarithmic(1...mostRanks), name: "ranks", ticks: Array(counts)) {
      "\(Int($0))"
    }
  }

  private var extrapolated: (from: Double, name: String) {
    (Double(ScalingStudy.trusted), "extrapolated")
  }

  /// The model's line: full as far as it is trusted, dotted beyond.
  private func drawModel(
    in chart: inout Chart, _ value: (ScalingReport.Row) -> Double
  ) {
    let points = predictions.map { (x: Double($0.point.ranks), y: value($0)) }
    chart.line(points.filter { $0.x <= Double(ScalingStudy.trusted) }, color: Self.own)
    chart.line(
      points.filter { $0.x >= Double(ScalingStudy.trusted) }, color: Self.own, dash: "2 4")
  }

  private func mark(in chart: inout Chart, _ value: (ScalingReport.Row) -> Double) {
    for row in measured {
      chart.mark(
        Double(row.point.ranks), value(row), color: Self.own, isFull: row.role == .fit)
    }
  }
}
