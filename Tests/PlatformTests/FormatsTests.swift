import Platform
import Testing

struct FormatsTests {
  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func thousandsStandApart(number: Int, text: String) { #expect(number.grouped == text) }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (14_000_000, "14 MB"), (9_960_000, "10 MB"),
    (2_500_000_000_000_000, "2500 TB"),
  ])
  func bytesHaveTheUnitThatFits(bytes: Int, text: String) { #expect(bytes.bytes == text) }

  @Test(arguments: [
    ("4096", 4096), ("500MB", 500_000_000), ("1.5 kB", 1_500), ("2gb", 2_000_000_000),
  ])
  func bytesAreReadInDecimalUnits(text: String, bytes: Int) { #expect(Int(bytes: text) == bytes) }

  @Test(arguments: ["", "MB", "0", "-5MB", "5 MiB", "1e3", "9999999TB", "0.1"])
  func otherSizesAreRefused(text: String) { #expect(Int(bytes: text) == nil) }

  @Test(arguments: [
    (-1.9, -1), (59.9, 59), (1e300, 1_000_000_000_000_000), (-1e300, -1_000_000_000_000_000),
    (Double.infinity, 1_000_000_000_000_000), (Double.nan, 0),
  ])
  func numbersOfFilesAreBounded(number: Double, whole: Int) {
    #expect(Int(bounded: number) == whole)
  }

  @Test(arguments: [(0, "000"), (42, "042"), (1234, "1234")])
  func shortNumbersHaveZerosInFront(number: Int, text: String) {
    #expect(number.zeroPadded(3) == text)
  }

  @Test
  func columnsHaveSpacesOnOneSideAndAreNeverCut() {
    #expect("ab".leftAligned(4) == "ab  " && "ab".rightAligned(4) == "  ab")
    #expect("abcde".leftAligned(4) == "abcde" && "abcde".rightAligned(4) == "abcde")
  }

  @Test
  func oneThingHasNoPlural() {
    #expect(1.of("core") == "1 core")
    #expect(4996.of("step") == "4,996 steps")
    #expect(0.of("core") == "0 cores")
  }

  @Test
  func aLongListIsCutAfterFiveNames() {
    #expect(shortList(["a", "b"]) == "a, b")
    #expect(shortList((1...8).map { "t\($0)" }) == "t1, t2, t3, t4, t5 and 3 more")
    #expect(shortList([]) == "")
  }
}
