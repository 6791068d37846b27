import Tensors
import Testing

struct SearchTests {
  @Test(arguments: 0..<9)
  func itIsTheFirstPositionOfAScan(count: Int) {
    for first in 0...count {
      #expect(firstPosition(in: count) { $0 >= first } == first)
    }
  }
}
