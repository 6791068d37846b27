/// One panel of a picture: axes, lines and marks.
///
///     var chart = Chart("loss", frame: (60, 30, 300, 150), x: steps, y: losses)
///     chart.line([(1, 10.3), (2, 9.1)], SVG.Stroke("navy"))
///     chart.mark(2, 9.1, color: "navy", isFull: true)
///     picture.add(chart.svg)
package struct Chart {
  /// The colours and the font size of everything but the data; colours may be CSS variables.
  package struct Theme {
    var title = "#111"
    var text = "#555"
    var grid = "#ddd"
    var shade = "whitesmoke"
    var paper = "white"
    var fontSize = 12.0
  }

  let title: String
  /// The plot area, without tick labels and title.
  let frame: SVG.Frame
  let x: ChartAxis
  let y: ChartAxis
  let theme: Theme
  package private(set) var svg = SVG()

  /// Draws the axes; the range of `x` above `shaded.from` is shaded under a name.
  package init(
    _ title: String, frame: SVG.Frame, x: ChartAxis, y: ChartAxis, theme: Theme = Theme(),
    shaded: (from: Double, name: String)? = nil
  ) {
    (self.title, self.frame, self.x, self.y, self.theme) = (title, frame, x, y, theme)
    if let shaded { shade(shaded.from, shaded.name) }
    drawAxes()
  }

  // The horizontal and the vertical coordinate of a value, in pixels.
  private func column(_ value: Double) -> Double { frame.x + frame.width * x.position(value) }
  private func row(_ value: Double) -> Double { frame.y + frame.height * (1 - y.position(value)) }

  private mutating func shade(_ from: Double, _ name: String) {
    let (start, end) = (column(from), frame.x + frame.width)
    guard start < end else { return }
    svg.rectangle((start, frame.y, end - start, frame.height), fill: theme.shade)
    svg.text(name, ((start + end) / 2, frame.y + 14), anchor: .middle, color: "#888")
  }

  private mutating func drawAxes() {
    let (left, right) = (frame.x, frame.x + frame.width)
    let bottom = frame.y + frame.height
    let ruler = SVG.Stroke(theme.text, width: 1)
    for tick in y.ticks {
      svg.line([(left, row(tick)), (right, row(tick))], SVG.Stroke(theme.grid, width: 1))
      svg.text(y.label(tick), (left - 6, row(tick) + 4), anchor: .end, color: theme.text)
    }
    for tick in x.ticks {
      let column = column(tick)
      svg.line([(column, bottom), (column, bottom + 4)], ruler)
      svg.text(
        x.label(tick), (column, bottom + theme.fontSize + 5), anchor: .middle, color: theme.text)
    }
    svg.line([(left, bottom), (right, bottom)], ruler)
    svg.text(x.name, (right, bottom + 2 * theme.fontSize + 8), anchor: .end, color: theme.text)
    svg.text(title, (left, frame.y - 10), color: theme.title, isBold: true)
  }

  /// Draws a line through points, given by their values.
  package mutating func line(
    _ points: [(x: Double, y: Double)], _ stroke: SVG.Stroke, attributes: String = ""
  ) {
    svg.line(points.map { (column($0.x), row($0.y)) }, stroke, attributes: attributes)
  }

  /// Draws a point, given by its values, as a full or a hollow circle.
  package mutating func mark(
    _ x: Double, _ y: Double, color: String, isFull: Bool, radius: Double = 4.5
  ) {
    svg.circle(
      (column(x), row(y)), radius: radius, fill: isFull ? color : theme.paper,
      stroke: SVG.Stroke(color))
  }
}
