import Reports
import TestSupport
import Testing

struct ChartTests {
  private let x = ChartAxis(.linear(0...10), name: "ranks", ticks: [0, 10]) { "\(Int($0))" }
  private let y = ChartAxis(.linear(0...1), ticks: [0, 0.5, 1]) { "\($0)" }

  private func elements(_ chart: Chart) throws -> Elements {
    try #require(Elements("<svg>\(chart.svg.body)</svg>"))
  }

  @Test
  func everyTickHasItsLabelAndTheTitleIsThere() throws {
    let chart = Chart("a < b", frame: (100, 50, 200, 100), x: x, y: y)
    let page = try elements(chart)
    // Lines: three rows, two ticks and the bottom. Texts: five labels, the name and the title.
    #expect(page.counts == ["svg": 1, "polyline": 6, "text": 7])
    for text in ["a < b", "ranks", "0.5", "10"] { #expect(page.text.contains(text)) }
  }

  @Test
  func valuesAreDrawnWhereTheyBelong() throws {
    var chart = Chart("loss", frame: (100, 50, 200, 100), x: x, y: y)
    let before = chart.svg.body.count
    chart.line([(0, 0), (5, 0.5), (20, 1)], SVG.Stroke("navy"))
    chart.mark(10, 1, color: "red", isFull: false)
    let added = String(chart.svg.body.dropFirst(before))
    // The vertical axis points upwards; values beyond an axis are drawn at its end.
    #expect(added.contains(#"points="100.0,150.0 200.0,100.0 300.0,50.0""#), "\(added)")
    #expect(added.contains(#"cx="300.0" cy="50.0" r="4.5" fill="white" stroke="red""#))
  }

  @Test
  func whatLiesBeyondAValueIsShaded() throws {
    func shaded(from value: Double) throws -> Elements {
      try elements(
        Chart("", frame: (100, 50, 200, 100), x: x, y: y, shaded: (value, "extrapolated")))
    }
    let page = try shaded(from: 4)
    let rectangle = page.attributes.first { $0.name == "rect" }?.values
    #expect(rectangle?["x"] == "180.0" && rectangle?["width"] == "120.0")
    #expect(page.text.contains("extrapolated"))
    #expect(try shaded(from: 10).counts["rect"] == nil)
  }
}
