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

  /// A rank by itself, and a world of one, make nothing that has to be freed.
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
