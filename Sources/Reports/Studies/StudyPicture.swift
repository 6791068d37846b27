import Foundation

/// A study as one picture that needs nothing beside itself: for each question a panel, in it a row for
/// each system with the mean over tasks of every seed, their mean and deviation, and the paper's words.
package struct StudyPicture {
  private let study: Study
  private static let color = "#1f5fa8"
  private static let width = 900.0
  private static let left = 250.0
  private static let right = 720.0
  private static let rowHeight = 26.0
  /// Above the rows of a panel its title, below them its axis.
  private static let margins = (top: 40.0, bottom: 46.0)

  package init(_ study: Study) { self.study = study }

  package var svg: String {
    var (body, y) = ("", 50.0)
    for question in study.questions {
      body += panel(question, top: y)
      y += Self.height(study.systems(of: question).count)
    }
    let tasks = study.tasks.map(\.task.title).joined(separator: ", ")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width.pixels) \(y.pixels)" \
      width="\(Int(Self.width))" height="\(Int(y))" font-family="sans-serif" font-size="13">
      <rect width="100%" height="100%" fill="white"/>
      <text x="24" y="30" font-size="17" font-weight="bold">\
      \("Fine-tuned after pre-training at equal compute: mean of \(tasks)".inXML)</text>
      \(body)</svg>

      """
  }

  private static func height(_ rows: Int) -> Double {
    margins.top + Double(rows) * rowHeight + margins.bottom
  }

  private func panel(_ question: String, top: Double) -> String {
    let systems = study.systems(of: question)
    let samples = systems.map(study.means)
    let axis = Axis(samples.flatMap(\.values))
    let (first, last) = (
      top + Self.margins.top, top + Self.margins.top + Double(systems.count) * Self.rowHeight
    )
    var body = text(question, 24, top + 24, "font-weight=\"bold\"")
    body += text("the paper", Self.right + 24, top + 24, "fill=\"#555\"")
    for tick in axis.ticks {
      let x = axis.place(tick)
      body += line(x, first, x, last, "stroke=\"#ddd\"")
      let label = String(format: axis.step < 1 ? "%.1f" : "%.0f", tick)
      body += text(label, x, last + 18, "text-anchor=\"middle\" fill=\"#555\"")
    }
    for (row, (system, sample)) in zip(systems, samples).enumerated() {
      let y = first + (Double(row) + 0.5) * Self.rowHeight
      body += text(system.name, Self.left - 12, y + 4, "text-anchor=\"end\"")
      body += text(system.paper, Self.right + 24, y + 4, "fill=\"#555\"")
      body += marks(sample, axis, y)
    }
    return body
  }

  /// A bar of a deviation to both sides of the mean, a point for the mean, small ones for seeds.
  private func marks(_ sample: Sample, _ axis: Axis, _ y: Double) -> String {
    guard let mean = sample.mean else { return text("not done", Self.left, y + 4, "fill=\"#999\"") }
    let (low, high) = (
      axis.place(mean - sample.deviation), axis.place(mean + sample.deviation)
    )
    let bar = line(low, y, high, y, "stroke=\"\(Self.color)\" stroke-width=\"2\"")
    let seeds = sample.values.map {
      circle(axis.place($0), y, 2.5, "fill=\"white\" stroke=\"\(Self.color)\"")
    }
    return bar + seeds.joined() + circle(axis.place(mean), y, 4.5, "fill=\"\(Self.color)\"")
  }

  private func circle(_ x: Double, _ y: Double, _ radius: Double, _ style: String) -> String {
    "<circle cx=\"\(x.pixels)\" cy=\"\(y.pixels)\" r=\"\(radius.pixels)\" \(style)/>\n"
  }

  private func line(
    _ x: Double, _ y: Double, _ toX: Double, _ toY: Double, _ style: String
  ) -> String {
    "<line x1=\"\(x.pixels)\" y1=\"\(y.pixels)\" x2=\"\(toX.pixels)\" y2=\"\(toY.pixels)\" "
      + "\(style)/>\n"
  }

  private func text(_ text: String, _ x: Double, _ y: Double, _ style: String) -> String {
    "<text x=\"\(x.pixels)\" y=\"\(y.pixels)\" \(style)>\(text.inXML)</text>\n"
  }

  /// A panel's scale: it begins and ends with a tick, four to nine of them.
  private struct Axis {
    let step: Double
    private let first: Int
    private let last: Int

    init(_ values: [Double]) {
      let (low, high) = (values.min() ?? 0, values.max() ?? 100)
      let span = max(high - low, 0.4)
      step = [0.1, 0.2, 0.5, 1, 2, 5, 10].first { span / $0 <= 6 } ?? 20
      first = Int(((low - 0.1 * span) / step).rounded(.down))
      last = Int(((high + 0.1 * span) / step).rounded(.up))
    }

    var ticks: [Double] { (first...last).map { Double($0) * step } }

    func place(_ value: Double) -> Double {
      let share = (value / step - Double(first)) / Double(last - first)
      return StudyPicture.left
        + (StudyPicture.right - StudyPicture.left) * min(1, max(0, share))
    }
  }
}
