import Foundation

/// A study as one SVG picture, with a panel per question and a row per system; curves if systems
/// have budgets.
///
/// A row has the mean over tasks for every seed, the mean and the standard deviation of these, and
/// the paper's result.
package struct StudyPicture {
  private let study: Study
  private static let color = "#1f5fa8"
  private static let width = 900.0
  private static let left = 250.0
  private static let right = 720.0
  private static let rowHeight = 26.0
  /// Space above the rows of a panel for its title, and below them for its axis.
  private static let margins = (top: 40.0, bottom: 46.0)

  package init(_ study: Study) { self.study = study }

  /// The picture as a self-contained file.
  package var svg: String {
    if study.systems.contains(where: { $0.budget != nil }) { return StudyCurves(study).svg }
    var picture = SVG()
    var y = 50.0
    for question in study.questions { y = drawPanel(question, top: y, in: &picture) }
    let scores = study.decisiveScores.joined(separator: ", ")
    return picture.document(
      title: "Fine-tuned after pre-training at equal compute: mean of \(scores)",
      width: Self.width, height: y, fontSize: 13)
  }

  /// Draws the panel of a question below `top` and returns its lower end.
  private func drawPanel(_ question: String, top: Double, in picture: inout SVG) -> Double {
    let systems = study.systems(of: question)
    let samples = systems.map(study.means)
    let axis = Self.axis(samples.flatMap(\.values))
    let first = top + Self.margins.top
    let last = first + Double(systems.count) * Self.rowHeight
    let note = Self.right + 24
    picture.text(question, (24, top + 24), isBold: true)
    if systems.contains(where: { $0.paper != nil }) {
      picture.text("the paper", (note, top + 24), color: "#555")
    }
    for tick in axis.ticks {
      let x = Self.column(tick, axis)
      picture.line([(x, first), (x, last)], SVG.Stroke("#ddd", width: 1))
      picture.text(axis.label(tick), (x, last + 18), anchor: .middle, color: "#555")
    }
    for (row, (system, sample)) in zip(systems, samples).enumerated() {
      let y = first + (Double(row) + 0.5) * Self.rowHeight
      picture.text(system.name, (Self.left - 12, y + 4), anchor: .end)
      picture.text(system.paper ?? "", (note, y + 4), color: "#555")
      drawMarks(sample, axis, y, in: &picture)
    }
    return last + Self.margins.bottom
  }

  /// Draws a bar of one standard deviation around the mean, and a small circle per seed.
  private func drawMarks(
    _ sample: Sample, _ axis: ChartAxis, _ y: Double, in picture: inout SVG
  ) {
    guard let mean = sample.mean else {
      return picture.text("no results", (Self.left, y + 4), color: "#999")
    }
    let ends = [mean - sample.standardDeviation, mean + sample.standardDeviation]
    picture.line(ends.map { (Self.column($0, axis), y) }, SVG.Stroke(Self.color))
    for value in sample.values {
      picture.circle(
        (Self.column(value, axis), y), radius: 2.5, fill: "white",
        stroke: SVG.Stroke(Self.color, width: 1))
    }
    picture.circle((Self.column(mean, axis), y), radius: 4.5, fill: Self.color)
  }

  private static func column(_ value: Double, _ axis: ChartAxis) -> Double {
    left + (right - left) * axis.position(value)
  }

  /// The axis of a panel: it begins and ends with a tick, a tenth of the range beyond the values.
  private static func axis(_ values: [Double]) -> ChartAxis {
    let (low, high) = (values.min() ?? 0, values.max() ?? 100)
    let span = max(high - low, 0.4)
    let step = ChartAxis.roundStep(span / 6)
    return ChartAxis(from: low - 0.1 * span, to: high + 0.1 * span, step: step) {
      String(format: step < 1 ? "%.1f" : "%.0f", $0)
    }
  }
}
