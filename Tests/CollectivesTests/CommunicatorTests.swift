import Collectives
import Platform
import Tensors
import Testing

/// These tests run alone and under mpirun, where all ranks make the same calls.
@Suite(.serialized)
struct CommunicatorTests {
  /// For tests that need several ranks; they are skipped without a launcher.
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
    #expect(try world.broadcast(json: { world.rank + 7 }) == 7)
    let none: Int? = try world.broadcast(json: { nil })
    #expect(none == nil)
    #expect(try world.anyRank(world.rank == world.size - 1) == true)
    #expect(try world.anyRank(false) == false)
  }

  /// Messages of any length, also of none, arrive in order.
  @Test(needsRanks)
  func messagesArriveInOrder() throws {
    let messages = [[], [7], (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }]
    if world.rank == 0 {
      for sender in 1..<world.size {
        for message in messages {
          #expect(try world.receive(from: sender) == message)
          #expect(try world.receive(from: sender) == [UInt8(sender)])
        }
      }
    } else {
      for message in messages {
        try world.send(message, to: 0)
        try world.send([UInt8(world.rank)], to: 0)
      }
    }
  }

  private struct Broken: Error {}

  @Test
  func anErrorOnOneRankReachesAll() throws {
    #expect(throws: (any Error).self) {
      try world.agree { if world.rank == world.size - 1 { throw Broken() } }
    }
    #expect(try world.agree { 5 } == 5)
    #expect(throws: (any Error).self) {
      let _: Int = try world.broadcast(json: { throw Broken() })
    }
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
    let seed = world.rank == 1 ? "5" : "4"
    let expected = CollectivesError.ranksDisagree(
      key: "seed", rank: 1, host: hostName(), value: "5", first: "4")
    #expect(throws: expected) { try world.expectEqual([("vocabulary", "abc"), ("seed", seed)]) }
  }

  /// With a single rank there is no MPI communicator to free.
  @Test
  func whatIsMadeIsFreed() throws {
    let before = Communicator.madeCount
    let copies = [try world.duplicate(), try world.onThisHost(), try world.duplicate()]
    #expect(Communicator.madeCount == before + (world.size > 1 ? 3 : 0))
    for copy in copies { #expect(try copy.sum([1]) == [copy.size]) }
    #expect(copies[0].rank == world.rank && copies[0].size == world.size)
    for copy in copies { copy.free() }
    copies[0].free()
    world.free()
    #expect(Communicator.madeCount == before)
    #expect(try world.sum([1]) == [world.size])
  }
}
