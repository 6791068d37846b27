import Foundation

/// A panel of a picture in SVG: axes, lines and marks over numbers of ranks, a power of two each step.
struct Chart {
  /// How values become heights.
  enum Scale {
    /// From the lower to the upper bound.
    case linear(ClosedRange<Double>)
    /// By powers of ten.
    case logarithmic(ClosedRange<Double>)
  }

  let title: String
  /// Left, top, width and height of the plot itself, in pixels.
  let frame: (x: Double, y: Double, width: Double, height: Double)
  let scale: Scale
  /// The largest number of ranks.
  let ranks: Double
  /// Numbers of ranks from here on lie in a shaded part.
  let shadedFrom: Double
  /// A value as its axis names it.
  let label: (Double) -> String
  private(set) var body = ""

  init(
    _ title: String, frame: (x: Double, y: Double, width: Double, height: Double), scale: Scale,
    ranks: Double, shadedFrom: Double, label: @escaping (Double) -> String
  ) {
    (self.title, self.frame, self.scale) = (title, frame, scale)
    (self.ranks, self.shadedFrom, self.label) = (ranks, shadedFrom, label)
    drawAxes()
  }

  private func x(_ ranks: Double) -> Double {
    frame.x + frame.width * log2(ranks) / max(1, log2(self.ranks))
  }

  private func y(_ value: Double) -> Double {
    let share =
      switch scale {
      case .linear(let range):
        (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      case .logarithmic(let range):
        log(max(value, 1e-300) / range.lowerBound) / log(range.upperBound / range.lowerBound)
      }
    return frame.y + frame.height * (1 - min(1, max(0, share)))
  }

  private var ticks: [Double] {
    switch scale {
    case .linear(let range):
      return (0...4).map {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / 4
      }
    case .logarithmic(let range):
      return sequence(first: range.lowerBound) { $0 * 10 }.prefix { $0 <= range.upperBound * 1.001 }
        .map(\.self)
    }
  }

  private mutating func drawAxes() {
    let (left, top, right, bottom) = (
      frame.x, frame.y, frame.x + frame.width, frame.y + frame.height
    )
    if shadedFrom < ranks {
      let start = x(shadedFrom)
      add(
        #"<rect x="\#(start.pixels)" y="\#(top.pixels)" width="\#((right - start).pixels)" "#
          + #"height="\#(frame.height.pixels)" fill="whitesmoke"/>"#)
      text("extrapolated", (start + right) / 2, top + 14, anchor: "middle", color: "#888")
    }
    for tick in ticks {
      line([(left, y(tick)), (right, y(tick))], color: "#ddd", width: 1)
      text(label(tick), left - 6, y(tick) + 4, anchor: "end", color: "#555")
    }
    for count in sequence(first: 1.0, next: { $0 * 2 }).prefix(while: { $0 <= ranks }) {
      line([(x(count), bottom), (x(count), bottom + 4)], color: "#555", width: 1)
      text("\(Int(count))", x(count), bottom + 17, anchor: "middle", color: "#555")
    }
    line([(left, bottom), (right, bottom)], color: "#555", width: 1)
    text("ranks", right, bottom + 32, anchor: "end", color: "#555")
    text(title, left, top - 10, anchor: "start", color: "#111", weight: "bold")
  }

  /// A line through (ranks, value).
  mutating func line(
    _ points: [(ranks: Double, value: Double)], color: String, dash: String? = nil
  ) {
    line(points.map { (x($0.ranks), y($0.value)) }, color: color, width: 2, dash: dash)
  }

  /// A point at (ranks, value): full, or hollow.
  mutating func mark(_ ranks: Double, _ value: Double, color: String, isFull: Bool) {
    add(
      #"<circle cx="\#(x(ranks).pixels)" cy="\#(y(value).pixels)" r="4.5" "#
        + #"fill="\#(isFull ? color : "white")" stroke="\#(color)" stroke-width="2"/>"#)
  }

  private mutating func line(
    _ points: [(Double, Double)], color: String, width: Double, dash: String? = nil
  ) {
    guard points.count > 1 else { return }
    let path = points.map { "\($0.0.pixels),\($0.1.pixels)" }.joined(separator: " ")
    add(
      #"<polyline points="\#(path)" fill="none" stroke="\#(color)" stroke-width="\#(width.pixels)""#
        + (dash.map { #" stroke-dasharray="\#($0)""# } ?? "") + "/>")
  }

  private mutating func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String, color: String,
    weight: String = "normal"
  ) {
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
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
