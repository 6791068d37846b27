import Platform
import Testing

struct TextTableTests {
  @Test
  func columnsAreAsWideAsTheirWidestCell() {
    var table = TextTable([("name", .left), ("n", .right), ("note", .left)])
    table.append(["a", "1,000", ""])
    table.append(["längste", "7", "x"])
    #expect(table.lines == ["name         n  note", "a        1,000", "längste      7  x"])
    #expect(TextTable([("", .left)]).lines == [""])
  }
}
