import Foundation

/// A panel of a picture in SVG: axes, lines and marks.
///
///     var chart = Chart("loss", frame: (60, 30, 300, 150), x: steps, y: losses)
///     chart.line([(1, 10.3), (2, 9.1)], color: "navy")
///     chart.mark(2, 9.1, color: "navy", isFull: true)
///     let svg = "<svg ...>" + chart.body + "</svg>"
struct Chart {
  /// The colours of what is not data; names of CSS variables where a page has them.
  struct Theme {
    var title = "#111"
    var text = "#555"
    var grid = "#ddd"
    var shade = "whitesmoke"
    var paper = "white"
    var fontSize = 12.0
  }

  /// Left, top, width and height of the plot itself, in pixels.
  typealias Frame = (x: Double, y: Double, width: Double, height: Double)

  let title: String
  let frame: Frame
  let x: ChartAxis
  let y: ChartAxis
  let theme: Theme
  private(set) var body = ""

  /// - Parameter shaded: what lies beyond a value of the horizontal axis is shaded, and called so.
  init(
    _ title: String, frame: Frame, x: ChartAxis, y: ChartAxis, theme: Theme = Theme(),
    shaded: (from: Double, name: String)? = nil
  ) {
    (self.title, self.frame, self.x, self.y, self.theme) = (title, frame, x, y, theme)
    if let shaded { shade(shaded.from, shaded.name) }
    drawAxes()
  }

  /// Where a value stands, in pixels.
  func column(_ value: Double) -> Double { frame.x + frame.width * x.place(value) }
  func row(_ value: Double) -> Double { frame.y + frame.height * (1 - y.place(value)) }

  private mutating func shade(_ from: Double, _ name: String) {
    let (start, end) = (column(from), frame.x + frame.width)
    guard start < end else { return }
    add(
      #"<rect x="\#(start.pixels)" y="\#(frame.y.pixels)" width="\#((end - start).pixels)" "#
        + #"height="\#(frame.height.pixels)" fill="\#(theme.shade)"/>"#)
    text(name, (start + end) / 2, frame.y + 14, anchor: "middle", color: "#888")
  }

  private mutating func drawAxes() {
    let (left, right) = (frame.x, frame.x + frame.width)
    let bottom = frame.y + frame.height
    for tick in y.ticks {
      line([(left, row(tick)), (right, row(tick))], color: theme.grid, width: 1)
      text(y.label(tick), left - 6, row(tick) + 4, anchor: "end", color: theme.text)
    }
    for tick in x.ticks {
      line([(column(tick), bottom), (column(tick), bottom + 4)], color: theme.text, width: 1)
      text(
        x.label(tick), column(tick), bottom + theme.fontSize + 5, anchor: "middle",
        color: theme.text)
    }
    line([(left, bottom), (right, bottom)], color: theme.text, width: 1)
    text(x.name, right, bottom + 2 * theme.fontSize + 8, anchor: "end", color: theme.text)
    text(title, left, frame.y - 10, anchor: "start", color: theme.title, weight: "bold")
  }

  /// A line through points.
  ///
  /// - Parameters:
  ///   - dash: the lengths of strokes and gaps.
  ///   - attributes: more of the element, as they stand in it.
  mutating func line(
    _ points: [(x: Double, y: Double)], color: String, width: Double = 2, dash: String? = nil,
    attributes: String = ""
  ) {
    line(
      points.map { (column($0.x), row($0.y)) }, color: color, width: width, dash: dash,
      attributes: attributes)
  }

  /// A point: full, or hollow.
  mutating func mark(
    _ x: Double, _ y: Double, color: String, isFull: Bool, radius: Double = 4.5
  ) {
    add(
      #"<circle cx="\#(column(x).pixels)" cy="\#(row(y).pixels)" r="\#(radius.pixels)" "#
        + #"fill="\#(isFull ? color : theme.paper)" stroke="\#(color)" stroke-width="2"/>"#)
  }

  private mutating func line(
    _ points: [(Double, Double)], color: String, width: Double, dash: String? = nil,
    attributes: String = ""
  ) {
    guard points.count > 1 else { return }
    let path = points.map { "\($0.0.pixels),\($0.1.pixels)" }.joined(separator: " ")
    add(
      #"<polyline points="\#(path)" fill="none" stroke="\#(color)" stroke-width="\#(width.pixels)""#
        + (dash.map { #" stroke-dasharray="\#($0)""# } ?? "") + "\(attributes)/>")
  }

  private mutating func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String, color: String,
    weight: String = "normal"
  ) {
    if text.isEmpty { return }
    add(
      #"<text x="\#(x.pixels)" y="\#(y.pixels)" text-anchor="\#(anchor)" fill="\#(color)" "#
        + #"font-weight="\#(weight)">\#(text.inXML)</text>"#)
  }

  private mutating func add(_ element: String) { body += element + "\n" }
}

extension Double {
  /// To a tenth, as a coordinate.
  var pixels: String { String(format: "%.1f", self) }
}

extension String {
  /// With what means something in XML escaped.
  var inXML: String {
    replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
