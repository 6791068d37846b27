import Foundation
import Testing
import Training

/// What a run says of the place where it was started, and of how its ranks get on.
struct RunSurroundingsTests {
  @Test
  func slicesThatDoNotDivideAreNamed() throws {
    let folder = try preparedData()
    let result = try Program.run(
      [
        "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16",
        "--slices", "16", "--steps", "1", "--threads", "1", "--output", "run",
      ], ranks: 3, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    for warning in [
      "note: 16 slices on 3 lanes give a lane 5 to 6, so 11 % of the computing time is lost",
      "note: 16 slices on 3 ranks give a rank up to 3 sums to send, 2 times the bytes",
    ] {
      #expect(result.errors.contains(warning), "\(result.errors)")
    }
  }

  /// What of two hosts with two ranks each is said to be a mistake.
  private func warnings(
    _ change: (inout [RankFacts]) -> Void = { _ in }, lanesPerCore: Double = 1
  ) -> [String] {
    var ranks = ["n1", "n1", "n2", "n2"].map { RankFacts(host: $0, lanes: 4) }
    for rank in ranks.indices {
      (ranks[rank].processors, ranks[rank].cores, ranks[rank].launcherProcessors) = (8, 8, 8)
    }
    change(&ranks)
    return RunSurroundings(
      ranks, ringSpeed: 1e9, lanesPerCore: lanesPerCore, slices: 16, excessTraffic: 1
    ).warnings
  }

  @Test
  func classicMistakesAreNamedWithTheirPlace() {
    #expect(warnings().isEmpty)
    #expect(
      warnings { $0[1].notes = ["4 lanes share 2 cores"] } == ["rank 1: 4 lanes share 2 cores"])
    #expect(
      warnings { for rank in 2..<4 { $0[rank].processors = 2 } }.first
        == "on n2 the launcher keeps the ranks to 2 of 8 processors; give mpirun --bind-to none, or "
        + "srun --cpus-per-task")
    #expect(
      warnings { for rank in 0..<4 { $0[rank].cores = 4 } }.first?.hasPrefix(
        "on n1, n2 8 lanes run on the hardware threads of 4 cores") == true)
    #expect(
      warnings { $0[3].lanes = 1 }.first?.hasPrefix(
        "ranks have 1 to 4 lanes; all wait for the ones with the fewest, such as rank 3 on n2")
        == true)
    #expect(
      warnings { $0 += Array(repeating: $0[2], count: 3) }.first?.hasPrefix(
        "on n2 there are 5 ranks") == true)
    #expect(
      warnings(lanesPerCore: 1.5).first?.hasPrefix(
        "among n1, n2 are some that are one machine, on which up to 1.5 lanes share a core")
        == true)
  }

  /// 48 cores and slices that are a power of two.
  @Test
  func lanesThatWaitForOthersAreCounted() {
    #expect(RunSurroundings.idleWarning(slices: 64, lanes: [16, 16, 16, 16]) == nil)
    #expect(
      RunSurroundings.idleWarning(slices: 64, lanes: [48])?.hasPrefix(
        "64 slices on 48 lanes give a lane 1 to 2, so 33 % of the computing time is lost") == true)
    #expect(RunSurroundings.idleWarning(slices: 1024, lanes: [48]) == nil)
  }

  @Test
  func theSlowestRankAndItsHostAreNamed() {
    let one = RankTimes(computing: [1], input: [0], exchange: [0], hosts: ["n1"])
    #expect(one.sentence == nil)
    let three = RankTimes(
      computing: [1, 1.5, 1.1], input: [0, 0.25, 0], exchange: [0.5, 0, 0.4],
      hosts: ["n1", "n2", "n2"])
    #expect(
      three.sentence
        == "ranks computed 1.000, 1.100, 1.500 s a step (fastest, median, slowest: rank 1 on n2), "
        + "waited up to 0.250 s for input and 0.000 to 0.500 s in the exchange")
  }

  /// Lanes, buckets and checkpoints of both ranks stand in the picture, inside the time of the run.
  @Test
  func aTimelineShowsEveryRank() throws {
    let folder = try preparedData()
    let result = try Program.run(
      [
        "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16",
        "--slices", "4", "--steps", "3", "--threads", "2", "--output", "run", "--timeline",
        "trace.json",
      ], ranks: 2, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("found 1 host ("), "\(result.errors)")
    #expect(result.errors.contains("2 ranks x 2 lanes"), "\(result.errors)")
    let trace = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: folder.path + "/trace.json")))
        as? [String: [[String: Any]]])
    let events = try #require(trace["traceEvents"])
    for rank in 0..<2 {
      let own = events.filter { $0["pid"] as? Int == rank }
      let names = Set(own.compactMap { $0["name"] as? String })
      let expected: Set = [
        "process_name", "thread_name", "computation", "slice \(2 * rank)",
        "slice \(2 * rank + 1)", "exchange bucket 0", "update bucket 0", "gather bucket 0",
        "checkpoint after step 3",
      ]
      #expect(expected.isSubset(of: names), "\(expected.subtracting(names))")
      let times = own.compactMap { $0["ts"] as? Double }
      #expect(times.allSatisfy { $0 >= 0 && $0 < 60e6 })
    }
  }
}
