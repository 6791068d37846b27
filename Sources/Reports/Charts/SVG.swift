import Foundation

/// An SVG picture, element by element in drawing order, with coordinates in pixels from the top
/// left.
///
///     var picture = SVG()
///     picture.line([(0, 0), (80, 20)], SVG.Stroke("navy"))
///     picture.text("peak", (84, 20))
///     let file = picture.document(title: "Losses", width: 120, height: 40, fontSize: 12)
///
/// Text is escaped. Colours, anchors and extra attributes are written as given.
package struct SVG {
  package typealias Point = (x: Double, y: Double)
  /// Left, top, width and height.
  package typealias Frame = (x: Double, y: Double, width: Double, height: Double)

  /// Colour, width and dashes of a line.
  package struct Stroke {
    let color: String
    let width: Double
    /// The lengths of strokes and gaps; nil for a solid line.
    let dash: String?

    package init(_ color: String, width: Double = 2, dash: String? = nil) {
      (self.color, self.width, self.dash) = (color, width, dash)
    }

    fileprivate var attributes: String {
      #"stroke="\#(color)" stroke-width="\#(String(format: "%g", width))""#
        + (dash.map { #" stroke-dasharray="\#($0)""# } ?? "")
    }
  }

  /// The part of a text that is at its point.
  package enum Anchor: String {
    case start, middle, end
  }

  package init() {}

  /// The elements so far, one per line.
  package private(set) var body = ""

  /// Adds a line through points; nothing for fewer than two.
  ///
  /// `attributes` are further attributes of the element, each with a space before it.
  package mutating func line(_ points: [Point], _ stroke: Stroke, attributes: String = "") {
    guard points.count > 1 else { return }
    let path = points.map { "\($0.x.pixels),\($0.y.pixels)" }.joined(separator: " ")
    add(#"<polyline points="\#(path)" fill="none" \#(stroke.attributes)\#(attributes)/>"#)
  }

  /// Adds a filled circle, with an outline if `stroke` is given.
  package mutating func circle(_ center: Point, radius: Double, fill: String, stroke: Stroke? = nil)
  {
    add(
      #"<circle cx="\#(center.x.pixels)" cy="\#(center.y.pixels)" r="\#(radius.pixels)" "#
        + #"fill="\#(fill)"\#(stroke.map { " " + $0.attributes } ?? "")/>"#)
  }

  /// Adds a filled rectangle.
  package mutating func rectangle(_ frame: Frame, fill: String) {
    add(
      #"<rect x="\#(frame.x.pixels)" y="\#(frame.y.pixels)" width="\#(frame.width.pixels)" "#
        + #"height="\#(frame.height.pixels)" fill="\#(fill)"/>"#)
  }

  /// Adds one line of text with its baseline at `point`; nothing for an empty text.
  package mutating func text(
    _ text: String, _ point: Point, anchor: Anchor = .start, color: String = "black",
    size: Double? = nil, isBold: Bool = false
  ) {
    if text.isEmpty { return }
    let attributes = [
      anchor == .start ? nil : #"text-anchor="\#(anchor.rawValue)""#, #"fill="\#(color)""#,
      size.map { #"font-size="\#(String(format: "%g", $0))""# },
      isBold ? #"font-weight="bold""# : nil,
    ].compactMap(\.self).joined(separator: " ")
    add(
      #"<text x="\#(point.x.pixels)" y="\#(point.y.pixels)" \#(attributes)>\#(text.inXML)</text>"#)
  }

  /// Adds the elements of another picture with the same coordinates.
  package mutating func add(_ other: SVG) { body += other.body }

  private mutating func add(_ element: String) { body += element + "\n" }

  /// The picture as a self-contained SVG file: the elements on white, under a title.
  package func document(title: String, width: Double, height: Double, fontSize: Double) -> String {
    var head = SVG()
    head.rectangle((0, 0, width, height), fill: "white")
    head.text(title, (24, 30), size: 17, isBold: true)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width.pixels) \(height.pixels)" \
      width="\(Int(width))" height="\(Int(height))" font-family="sans-serif" \
      font-size="\(String(format: "%g", fontSize))">
      \(head.body)\(body)</svg>

      """
  }
}

extension Double {
  /// The coordinate, rounded to a tenth of a pixel.
  fileprivate var pixels: String { String(format: "%.1f", self) }
}

extension String {
  /// The text with the special characters of XML escaped.
  var inXML: String {
    replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
