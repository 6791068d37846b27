import Collectives
import Platform
import Tensors
import Testing

/// Run alone and under mpirun: every rank makes these calls together.
@Suite(.serialized)
struct CommunicatorTests {
  private let world: Communicator

  init() throws { world = try Communicator.start() }

  @Test
  func sumsAndGathersMeetAllRanks() throws {
    #expect(try world.sum([1, world.rank]) == [world.size, world.size * (world.size - 1) / 2])
    let gathered = try world.gather([Double](repeating: Double(world.rank), count: world.rank))
    #expect(gathered == (0..<world.size).map { [Double](repeating: Double($0), count: $0) })
    #expect(try world.broadcast([UInt8(world.rank), 7]) == [0, 7])
  }

  @Test
  func anErrorOnOneRankReachesAll() throws {
    struct Broken: Error {}
    let last = world.size - 1
    #expect(throws: (any Error).self) {
      try world.agree { if world.rank == last { throw Broken() } }
    }
    #expect(try world.agree { 5 } == 5)
    if world.size > 1 && world.rank == 0 {
      let expected = CollectivesError.rankFailed(
        rank: last, host: hostName(), text: "Broken()")
      #expect("\(expected)" == "rank \(last) on \(hostName()): Broken()")
    }
  }

  @Test
  func disagreementsAreNamed() throws {
    try world.expectEqual([("seed", "4"), ("vocabulary", "abc")])
    guard world.size > 1 else { return }
    let own = world.rank == 1 ? "5" : "4"
    #expect(throws: CollectivesError.self) {
      try world.expectEqual([("seed", own)])
    }
  }

  @Test
  func jobsRunInOrderAndErrorsReachTheWaiter() throws {
    struct Broken: Error {}
    final class Trace: @unchecked Sendable { var entries: [Int] = [] }  // one thread writes
    let thread = SerialQueue()
    let trace = Trace()
    for number in 0..<10 { _ = thread.submit { trace.entries.append(number) } }
    try thread.wait()
    #expect(trace.entries == Array(0..<10))
    _ = thread.submit { throw Broken() }
    let later = thread.submit { trace.entries.append(99) }
    #expect(throws: Broken.self) { try thread.wait(for: later) }
    #expect(trace.entries.last == 9)
  }
}
