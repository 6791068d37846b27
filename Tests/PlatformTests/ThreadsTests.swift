import Platform
import Synchronization
import Testing

struct ThreadsTests {
  @Test(arguments: [1, 2, 7])
  func outputsAreInTheOrderOfTheInputs(threads: Int) throws {
    var isDone = false
    func finish() { isDone = true }
    let outputs = try mapOnThreads(Array(0..<100), threads: threads, meanwhile: finish) { $0 * $0 }
    #expect(outputs == (0..<100).map { $0 * $0 })
    #expect(isDone)
  }

  @Test
  func theFirstErrorInTheOrderOfTheInputsIsThrown() {
    struct Fault: Error, Equatable { let input: Int }
    #expect(throws: Fault(input: 3)) {
      try mapOnThreads(Array(0..<50), threads: 3) { if $0 >= 3 { throw Fault(input: $0) } }
    }
  }

  @Test
  func everyThreadWorks() throws {
    let count = Atomic(0)
    try performOnThreads(5) { count.add(1, ordering: .relaxed) }
    #expect(count.load(ordering: .relaxed) == 5)
  }
}
