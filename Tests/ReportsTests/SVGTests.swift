import Reports
import TestSupport
import Testing

struct SVGTests {
  @Test
  func elementsAreDrawnInTheirOrder() throws {
    var picture = SVG()
    picture.rectangle((1, 2, 30, 40.26), fill: "whitesmoke")
    picture.line([(0, 0), (80, 20.04)], SVG.Stroke("navy", dash: "6 4"), attributes: #" id="a""#)
    picture.circle((5, 6), radius: 4.5, fill: "white", stroke: SVG.Stroke("red", width: 1))
    picture.text("peak", (84, 20), anchor: .middle, isBold: true)
    let wanted = """
      <rect x="1.0" y="2.0" width="30.0" height="40.3" fill="whitesmoke"/>
      <polyline points="0.0,0.0 80.0,20.0" fill="none" stroke="navy" stroke-width="2" \
      stroke-dasharray="6 4" id="a"/>
      <circle cx="5.0" cy="6.0" r="4.5" fill="white" stroke="red" stroke-width="1"/>
      <text x="84.0" y="20.0" text-anchor="middle" fill="black" font-weight="bold">peak</text>

      """
    #expect(picture.body == wanted)
  }

  @Test
  func nothingIsDrawnForAPointAloneOrAnEmptyText() {
    var picture = SVG()
    picture.line([(1, 1)], SVG.Stroke("navy"))
    picture.text("", (1, 1))
    #expect(picture.body.isEmpty)
  }

  @Test
  func aDocumentIsWellFormedWhateverItsText() throws {
    var picture = SVG()
    picture.text(#"a < b & "c" > d"#, (1, 1))
    var whole = SVG()
    whole.add(picture)
    let file = whole.document(title: "<all> & more", width: 120, height: 40.4, fontSize: 12)
    let page = try #require(Elements(file))
    #expect(page.counts == ["svg": 1, "rect": 1, "text": 2])
    #expect(page.text.contains(#"a < b & "c" > d"#) && page.text.contains("<all> & more"))
    #expect(file.hasPrefix("<svg ") && file.contains(#"viewBox="0 0 120.0 40.4""#))
  }
}
