import Electra
import Foundation
import Layers
import Training

/// The charts of a report: one figure per metric, with a curve per run over the tokens seen.
struct ReportCharts {
  let runs: [ReportedRun]
  private let isLogarithmic: Bool
  private let tokens: ChartAxis

  /// The largest number of points in a curve.
  private static let pointLimit = 150

  /// The charts of `runs`, all with the same axis of tokens.
  init(_ runs: [ReportedRun]) {
    self.runs = runs
    let all = runs.flatMap { $0.training.compactMap(\.tokens) }.filter { $0 > 0 }.map(Double.init)
    let (low, high) = (all.min() ?? 1, all.max() ?? 1)
    // Learning slows down with the logarithm of the tokens; over a short range a linear axis is
    // clearer.
    isLogarithmic = high > 30 * low
    tokens = ChartAxis(
      holding: isLogarithmic ? [low, high] : [0, high], isLogarithmic: isLogarithmic,
      name: "tokens"
    ) { $0.shortened }
  }

  /// The colour of the run with index `run`.
  static func color(_ run: Int) -> String { "var(--run-\(run % 6))" }

  /// The figures of all metrics that any run has, by group.
  var groups: [(title: String, figures: [String])] {
    let names = Set(runs.flatMap { $0.lines.flatMap { $0.values.map(\.name) } })
    return ReportMetric.groups(of: names).map { title, metrics in
      (title, metrics.compactMap(figure))
    }
  }

  private struct Curve {
    let name: String
    let color: String
    let kind: Kind
    let points: [(x: Double, y: Double)]

    enum Kind {
      case training, heldOut, published
    }
  }

  private func curves(_ metric: ReportMetric) -> [Curve] {
    var curves: [Curve] = []
    for (number, run) in runs.enumerated() {
      let color = Self.color(number)
      let training = points(metric, run.training, run)
      if training.count > 1 {
        curves.append(
          Curve(name: run.name, color: color, kind: .training, points: thinned(training)))
      }
      let heldOut = points(metric, run.heldOut, run)
      if !heldOut.isEmpty {
        curves.append(
          Curve(name: run.name, color: color, kind: .heldOut, points: thinned(heldOut)))
      }
    }
    return curves + published(metric, beside: curves)
  }

  private func points(
    _ metric: ReportMetric, _ lines: [MetricsLine], _ run: ReportedRun
  ) -> [(x: Double, y: Double)] {
    lines.compactMap { line in
      guard let value = line[named: metric.name],
        let tokens = line.tokens.map(Double.init) ?? run.tokens(at: line.step)
      else { return nil }
      return (tokens, value)
    }
  }

  /// At most `pointLimit` points (and one at the end): means of points that are close on the axis.
  private func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > Self.pointLimit else { return points }
    let intervals = Dictionary(grouping: points) {
      Int(tokens.position($0.x) * Double(Self.pointLimit))
    }
    return intervals.sorted { $0.key < $1.key }.map { _, group in
      (
        x: group.reduce(0) { $0 + $1.x } / Double(group.count),
        y: group.reduce(0) { $0 + $1.y } / Double(group.count)
      )
    }
  }

  /// The published curve of ELECTRA-Small up to the last token of `curves`.
  ///
  /// None if no run trains ELECTRA jointly, or if fewer than two of its points are in that range.
  private func published(_ metric: ReportMetric, beside curves: [Curve]) -> [Curve] {
    let last = curves.flatMap { $0.points.map(\.x) }.max() ?? 0
    guard runs.contains(where: { $0.configuration.isJointElectra }),
      let all = PublishedCurve.points.first(where: { $0.metric.rawValue == metric.name })
    else { return [] }
    let points = all.points.map {
      (x: Double($0.step * PublishedCurve.tokensPerStep), y: $0.value)
    }.filter { $0.x <= last }
    guard points.count > 1 else { return [] }
    return [
      Curve(name: "published small", color: "var(--quiet)", kind: .published, points: points)
    ]
  }

  /// A figure with its caption; nil if no run has the metric.
  private func figure(_ metric: ReportMetric) -> String? {
    let curves = curves(metric)
    guard !curves.isEmpty else { return nil }
    let values = Self.range(curves.flatMap { $0.points.map(\.y) })
    let axis = ChartAxis(
      holding: metric.unit == .percent && values[0] < 0.1 ? [0, max(0.01, values[1])] : values,
      isLogarithmic: metric.name == MetricName.gradientNorm.rawValue, label: metric.text)
    var chart = Chart(
      metric.title, frame: frame(axis), x: tokens, y: axis, theme: Self.theme)
    for curve in curves { Self.draw(curve, in: &chart) }
    return """
      <figure>
      <svg class="chart" viewBox="0 0 360 206" role="img" aria-label="\(metric.title.inXML)" \
      data-unit="\(metric.unit == .percent ? "%" : "")">
      \(chart.svg.body)<line class="ruler" y1="30" y2="170"/></svg>
      <figcaption>\(metric.meaning.inXML)</figcaption>
      </figure>
      """
  }

  /// The plot area in a view box of 360 x 206, with room for the longest label of each axis.
  ///
  /// The labels of `y` end 6 pixels left of it; the last label of `tokens` is centred on its right
  /// edge.
  private func frame(_ y: ChartAxis) -> SVG.Frame {
    let fontSize = Self.theme.fontSize
    let left = max(46, y.labelWidth(fontSize: fontSize) + 8)
    let right = max(12, tokens.labelWidth(fontSize: fontSize) / 2 + 2)
    return (left, 30, 360 - left - right, 140)
  }

  private static let theme = Chart.Theme(
    title: "var(--ink)", text: "var(--quiet)", grid: "var(--grid)", shade: "var(--grid)",
    paper: "var(--paper)", fontSize: 11)

  private static func draw(_ curve: Curve, in chart: inout Chart) {
    // Points outside the axis would be drawn along the edge. One next to each point inside is kept,
    // to show where the curve comes from.
    let inside = curve.points.map { chart.y.holds($0.y) }
    let shown = curve.points.indices.filter { index in
      inside[max(0, index - 1)...min(inside.count - 1, index + 1)].contains(true)
    }.map { curve.points[$0] }
    let list = { (values: [Double]) in
      values.map { String(format: "%.4g", $0) }.joined(separator: " ")
    }
    let kinds: [Curve.Kind: String] = [.heldOut: "held-out ", .training: "", .published: ""]
    let attributes =
      #" data-name="\#((curve.name + " " + (kinds[curve.kind] ?? "")).inXML)" "#
      + #"data-x="\#(list(shown.map(\.x)))" data-y="\#(list(shown.map(\.y)))""#
    switch curve.kind {
    case .training:
      chart.line(
        shown, SVG.Stroke(curve.color, width: 1.2), attributes: attributes + #" opacity="0.55""#)
    case .published:
      chart.line(
        shown, SVG.Stroke(curve.color, width: 1.2, dash: "4 3"), attributes: attributes)
    case .heldOut:
      chart.line(shown, SVG.Stroke(curve.color), attributes: attributes)
      for point in shown where shown.count <= 24 && chart.y.holds(point.y) {
        chart.mark(point.x, point.y, color: curve.color, isFull: true, radius: 1.6)
      }
    }
  }

  /// The lowest and the highest value to show: outliers, such as the first steps of a run, are cut
  /// off.
  ///
  /// An end is cut if it makes the range more than 2.5 times that of the other nine tenths of the
  /// values. No values give the range 0 to 1.
  static func range(_ values: [Double]) -> [Double] {
    let sorted = values.sorted()
    guard var low = sorted.first, var high = sorted.last else { return [0, 1] }
    let (tenth, ninth) = (sorted[sorted.count / 10], sorted[sorted.count - 1 - sorted.count / 10])
    if high - low > 2.5 * (ninth - low) { high = ninth + 0.6 * (ninth - low) }
    if high - low > 2.5 * (high - tenth) { low = tenth - 0.6 * (high - tenth) }
    return [low, high]
  }
}
