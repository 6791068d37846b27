import Tensors
import Testing

struct PermutationTests {
  @Test(arguments: Array(1...70) + [255, 256, 257, 4095, 4096, 4097, 100_003])
  func everyIndexIsTakenOnce(count: Int) {
    let order = Permutation(count: count, seed: 1, stream: 2)
    var taken = [Bool](repeating: false, count: count)
    for index in 0..<count { taken[order[index]] = true }
    #expect(!taken.contains(false))
  }

  @Test
  func seedAndStreamBothMatter() {
    func order(_ seed: UInt64, _ stream: UInt64) -> [Int] {
      let order = Permutation(count: 500, seed: seed, stream: stream)
      return (0..<500).map { order[$0] }
    }
    #expect(order(1, 1) != order(2, 1))
    #expect(order(1, 1) != order(1, 2))
    #expect(order(1, 1) == order(1, 1))
  }

  @Test
  func neighboursAreTornApart() {
    let order = Permutation(count: 4096, seed: 7, stream: 0)
    let near = (1..<4096).count { abs(order[$0] - order[$0 - 1]) < 41 }
    #expect(near < 4096 / 50 * 2)  // the expected share of a random permutation is one in fifty
  }
}
