import Platform
import Testing

struct BatchedMapTests {
  private struct Broken: Error, Equatable { let number: Int }

  /// A stream of numbers that ends with an error after `end` of them, if one is given.
  private func map(
    _ count: Int, threads: Int, limit: Int, error end: Int? = nil
  ) -> BatchedMap<Int> {
    var next = 0
    return BatchedMap(threads: threads, weight: { _ in 1 }, limit: limit) {
      if next == end { throw Broken(number: next) }
      guard next < count else { return nil }
      defer { next += 1 }
      return next
    }
  }

  @Test(arguments: [1, 3], [1, 5, 1000])
  func outputsHaveTheOrderOfTheInputs(threads: Int, limit: Int) throws {
    var batches = map(100, threads: threads, limit: limit)
    var (outputs, sizes): ([Int], [Int]) = ([], [])
    while let batch = try batches.next({ 2 * $0 }) {
      outputs += batch
      sizes.append(batch.count)
    }
    #expect(outputs == (0..<100).map { 2 * $0 })
    #expect(sizes.max() == min(limit, 8 * threads))
    #expect(batches.isAtEnd)
    #expect(try batches.next { $0 } == nil)
  }

  /// An error of reading comes after the inputs before it, one of a transformation instead of them.
  @Test(arguments: [1, 3])
  func theFirstErrorInTheOrderOfTheInputsIsThrown(threads: Int) throws {
    for (broken, expected) in [(nil, 20), (19, 19), (3, 3)] as [(Int?, Int)] {
      var batches = map(100, threads: threads, limit: 4, error: 20)
      #expect(throws: Broken(number: expected)) {
        while try batches.next({ if $0 == broken { throw Broken(number: $0) } }) != nil {}
      }
      #expect(try batches.next { $0 } == nil)
    }
  }
}
