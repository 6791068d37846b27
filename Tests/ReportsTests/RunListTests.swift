import Foundation
import Reports
import TestSupport
import Testing
import Training

/// The states and the table of `electra runs`.
struct RunListTests {
  private func heartbeats(_ states: [String]) -> [Heartbeat.Record] {
    states.enumerated().map {
      .init(rank: $0, host: "n1", step: 7, section: "step", state: $1, time: 1000)
    }
  }

  private func state(
    _ states: [String], age: Double = 1, holder: RunLock.Holder? = .ofThisProcess
  ) -> RunStatus.State {
    RunStatus.state(heartbeats(states), hasMetrics: true, age: age, holder: holder)
  }

  /// A holder on another host, whose process cannot be seen.
  private let distant = RunLock.Holder(
    host: "n9", process: 1, started: "1", boot: "other", namespace: "other", token: "t")

  @Test
  func theStateFollowsFromAllRanks() {
    #expect(state(["running", "running"]) == .running)
    #expect(state(["running", "stopping"]) == .stopping)
    #expect(state(["finished", "finished"]) == .finished)
    #expect(state(["stopped", "finished"]) == .stopped)
    // Rank zero ends last; another rank's last heartbeat may not be visible yet.
    #expect(state(["finished", "running"], holder: nil) == .finished)
    #expect(state(["running", "failed"]) == .failed)
    #expect(state(["late", "running"]) == .late)
    #expect(state(["terminated", "running"]) == .stopped)
    #expect(RunStatus.state([], hasMetrics: false, age: 0, holder: nil) == .new)
    #expect(RunStatus.state([], hasMetrics: true, age: 0, holder: nil) == .stopped)
  }

  /// A run whose lock is free or belongs to an ended process was killed; another host is trusted
  /// for two minutes.
  @Test
  func aRunWithoutItsProcessIsNotRunning() {
    var ended = RunLock.Holder.ofThisProcess
    ended = RunLock.Holder(
      host: ended.host, process: ended.process, started: "0", boot: ended.boot,
      namespace: ended.namespace, token: "t")
    #expect(state(["running"], holder: nil) == .killed)
    #expect(state(["running"], holder: ended) == .killed)
    #expect(state(["running"], age: 1e5) == .running)
    #expect(state(["running"], age: 100, holder: distant) == .running)
    #expect(state(["running"], age: 130, holder: distant) == .silent)
  }

  @Test
  func theTableHasARowPerRun() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", "studies/a/config.json")
    try folder.write(
      """
      {"step": 10, "tokens": 5, "loss": 8.25, "tokens_per_second": 12345.6, "time": 940}
      {"step": 10, "split": "held_out", "loss": 9.5, "time": 950}

      """, "studies/a/metrics.jsonl")
    try folder.write("{}", "studies/b/finetuning.json")
    try folder.write(
      "{\"step\": 3, \"loss\": 1.5, \"time\": 990}\n", "studies/b/seed-2/metrics.jsonl")
    try folder.write(
      "{\"step\": 9, \"loss\": 0.5, \"time\": 900}\n", "studies/b/seed-1/metrics.jsonl")
    // A Hugging Face folder is no run.
    try folder.write("{}", "studies/model/config.json")
    let list = try RunList([folder.path], time: 1010)
    #expect(
      list.lines == [
        "run  state    step    loss  tokens/s  last seen",
        "a    stopped    10  8.2500    12,346  1 min ago",
        "b    stopped     3  1.5000         -   20 s ago",
      ])
    #expect(throws: (any Error).self) { try RunList([folder.file("studies/model")], time: 0) }
    #expect(throws: (any Error).self) { try RunList([folder.file("nothing")], time: 0) }
  }

  /// The heartbeats, the lock and the checkpoints of a folder, as a run writes them.
  @Test
  func theFolderOfARunIsRead() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", "run/config.json")
    try folder.write("{}", "run/start.json")
    func status() throws -> RunStatus { try #require(RunStatus(folder.file("run"), time: 0)) }
    #expect(try status().state == .new && status().step == 0)
    let heartbeat = Heartbeat(folder: folder.file("run"), rank: 0)
    heartbeat.write(step: 7, section: "step", state: "running")
    #expect(try status().state == .killed)
    let lock = try RunLock(folder: folder.file("run"))
    #expect(try status().state == .running && status().step == 7)
    heartbeat.write(step: 7, section: "end", state: "stopped")
    lock.release()
    try folder.write("", "run/checkpoints/step-00000008/state.json")
    #expect(try status().state == .stopped && status().step == 8)
  }

  /// A folder that is given first as a deep one is searched again from above.
  @Test
  func theOrderOfTheFoldersDoesNotMatter() throws {
    let folder = try TemporaryFolder()
    for path in ["a/run", "a/b/c/run"] {
      try folder.write("{\"step\": 3, \"time\": 900}\n", "\(path)/metrics.jsonl")
      try folder.write("{}", "\(path)/config.json")
    }
    let paths = [folder.file("a"), folder.file("a/b")]
    for paths in [paths, paths.reversed()] {
      #expect(try RunList(paths, time: 0).runs.count == 2)
    }
  }

  @Test
  func agesHaveTheirLargestUnit() {
    let ages: [Double] = [-3, 59, 60, 3599, 3600, 200_000]
    #expect(
      ages.map(RunList.ago) == [
        "0 s ago", "59 s ago", "1 min ago", "59 min ago", "1 h ago", "2 d ago",
      ])
  }
}
