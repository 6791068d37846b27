import Collectives
import Platform
import Tensors
import Testing

/// Run alone and under mpirun: every rank makes these calls together.
@Suite(.serialized)
struct CommunicatorTests {
  /// For tests of what only several ranks can do; without a launcher they count as skipped.
  private static let needsRanks = ConditionTrait.enabled("needs several ranks: run under mpirun") {
    try Communicator.start().size > 1
  }
  private let world: Communicator

  init() throws { world = try Communicator.start() }

  @Test
  func sumsAndGathersMeetAllRanks() throws {
    #expect(try world.sum([1, world.rank]) == [world.size, world.size * (world.size - 1) / 2])
    let gathered = try world.gather([Double](repeating: Double(world.rank), count: world.rank))
    #expect(gathered == (0..<world.size).map { [Double](repeating: Double($0), count: $0) })
    #expect(try world.broadcast([UInt8(world.rank), 7]) == [0, 7])
  }

  private struct Broken: Error {}

  @Test
  func anErrorOnOneRankReachesAll() throws {
    #expect(throws: (any Error).self) {
      try world.agree { if world.rank == world.size - 1 { throw Broken() } }
    }
    #expect(try world.agree { 5 } == 5)
  }

  @Test(needsRanks)
  func anErrorOfAnotherRankIsNamedWithItsHost() throws {
    let last = world.size - 1
    let error = #expect(throws: (any Error).self) {
      try world.agree { if world.rank == last { throw Broken() } }
    }
    #expect((error is Broken) == (world.rank == last))
    if world.rank != last {
      #expect("\(try #require(error))" == "rank \(last) on \(hostName()): Broken()")
    }
  }

  @Test
  func ranksThatAgreeGoOn() throws {
    try world.expectEqual([("seed", "4"), ("vocabulary", "abc")])
  }

  @Test(needsRanks)
  func disagreementsAreNamed() throws {
    let own = world.rank == 1 ? "5" : "4"
    let expected = CollectivesError.ranksDisagree(
      key: "seed", rank: 1, host: hostName(), value: "5", first: "4")
    #expect(throws: expected) { try world.expectEqual([("vocabulary", "abc"), ("seed", own)]) }
  }

  @Test
  func jobsRunInOrderAndErrorsReachTheWaiter() throws {
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
