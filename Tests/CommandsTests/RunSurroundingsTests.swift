import Collectives
import Foundation
import Platform
import Runs
import TestSupport
import Testing
import Training

/// The log of a run about its environment and the progress of its ranks.
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
      "note: 16 slices on 3 threads give a thread 5 to 6, so 11 % of the computing time is lost",
      "note: 16 slices on 3 ranks give a rank up to 3 sums to send, 2 times the bytes",
    ] {
      #expect(result.errors.contains(warning), "\(result.errors)")
    }
  }

  private static let train = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16",
    "--steps", "1", "--output", "run",
  ]

  /// Five ranks that the launcher binds to one processor.
  @Test
  func sharedCoresAndManyRanksAreNamedWithTheirHost() throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      . \(Program.launch)/environment.sh
      exec mpirun -q --timeout 300 -np 5 taskset -c 0 "$0" "$@" --slices 16 --threads 1
      """, [Program.path] + Self.train, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    for note in [
      "note: ranks 0 ... 4: 5 ranks share 1 core on \(hostName())\n",
      "note: on \(hostName()) there are 5 ranks; one rank per NUMA domain",
    ] {
      #expect(result.errors.contains(note), "\(result.errors)")
    }
    let note = "note: on \(hostName()) the launcher binds the ranks to 1 of "
    #expect(
      result.errors.contains(note) == (ProcessInfo.processInfo.activeProcessorCount > 1),
      "\(result.errors)")
  }

  @Test
  func threadsThatWaitForOthersAreCounted() throws {
    let folder = try preparedData()
    let result = try Program.run(
      Self.train + ["--slices", "4", "--threads", "3"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.errors.contains(
        "note: 4 slices on 3 threads give a thread 1 to 2, so 33 % of the computing time is lost"),
      "\(result.errors)")
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
        == "ranks: computing 1.000, 1.100, 1.500 s per step (fastest, median, slowest: rank 1 on n2), "
        + "input up to 0.250 s, exchange 0.000 to 0.500 s")
  }

  /// The trace has workers, buckets and checkpoints of both ranks, within the time of the run.
  @Test
  func aTimelineShowsEveryRank() throws {
    let folder = try preparedData()
    let result = try Program.run(
      [
        "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--length",
        "32", "--batch", "16", "--slices", "4", "--steps", "3", "--threads", "2", "--output", "run",
        "--timeline", "trace.json",
      ], ranks: 2, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("2 ranks x 2 threads on 1 host ("), "\(result.errors)")
    let trace = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: folder.path + "/trace.json")))
        as? [String: [[String: Any]]])
    let events = try #require(trace["traceEvents"])
    for rank in 0..<2 {
      let rankEvents = events.filter { $0["pid"] as? Int == rank }
      let names = Set(rankEvents.compactMap { $0["name"] as? String })
      let bucket = "bucket 0 (generator.embeddings_project.weight)"
      let expected: Set = [
        "process_name", "thread_name", "computation", "slice \(2 * rank)",
        "slice \(2 * rank + 1)", "exchange \(bucket)", "update \(bucket)", "gather \(bucket)",
        "checkpoint after step 3",
      ]
      #expect(expected.isSubset(of: names), "\(expected.subtracting(names))")
      let times = rankEvents.compactMap { $0["ts"] as? Double }
      #expect(times.allSatisfy { $0 >= 0 && $0 < 60e6 })
    }
  }
}
