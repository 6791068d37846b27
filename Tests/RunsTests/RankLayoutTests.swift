import Collectives
import Platform
import Runs
import Testing

struct RankLayoutTests {
  private func threads(_ threads: Int?, slices: Int) throws -> [Int] {
    try RankLayout(world: .alone(), threads: threads, slices: slices)
      .processors
  }

  @Test
  func aRankHasNoMoreThreadsThanSlices() throws {
    #expect(try threads(8, slices: 3).count == 3)
    #expect(try threads(2, slices: .max).count == 2)
    #expect(try threads(nil, slices: 1).count == 1)
    #expect(try threads(nil, slices: 0).count == 1, "a rank without a slice has a thread")
  }

  @Test
  func threadsArePinnedOnlyWhereTheyTakeTheWholeShare() throws {
    let allowed = allowedProcessors()
    let all = try threads(nil, slices: .max)
    #expect(all.count <= allowed.count)
    #expect(all.count < allowed.count || Set(all) == Set(allowed))
    #expect(try threads(allowed.count + 1, slices: .max).allSatisfy { $0 == -1 })
  }
}
