import Collectives
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing
import Training

struct WatchdogTests {
  private func record(
    _ rank: Int, step: Int = 7, section: String = "reduction", time: Double = 100
  ) -> Heartbeat.Record {
    Heartbeat.Record(
      rank: rank, host: "n\(rank + 1)", step: step, section: section, state: "running", time: time)
  }

  @Test
  func theRankThatOthersWaitForIsNamed() {
    func cause(_ heartbeats: [Heartbeat.Record?]) -> String {
      Watchdog.cause(heartbeats, reportedBy: 0, tolerance: 5)
    }
    #expect(
      cause([record(0), record(1), record(2, section: "input", time: 60)])
        == "no heartbeat for 40 s from rank 2 on n3 in input of step 7")
    #expect(
      cause([record(0), record(1, step: 6), record(2, section: "computation")])
        == "the others wait for rank 2 on n3 in computation of step 7")
    #expect(
      cause([record(0), record(1, step: 8, section: "meeting")]).contains(
        "check the network between n1, n2"))
    #expect(
      cause([record(0), record(1, section: Watchdog.waitingForWeights)]).contains(
        "check the network between n1, n2"))
    #expect(cause([record(0), nil]).contains("there is no heartbeat of rank 1"))
  }

  /// The watchdog compares section names, so each must be read back exactly.
  @Test(arguments: ["input", "meeting", "computation", "reduction", Watchdog.waitingForWeights])
  func aHeartbeatIsReadBack(section: String) throws {
    let folder = try TemporaryFolder()
    Heartbeat(folder: folder.path, rank: 0).write(step: 3, section: section, state: "running")
    let record = try #require(Heartbeat.last(folder: folder.path, rank: 0))
    #expect((record.rank, record.step, record.host) == (0, 3, hostName()))
    #expect((record.section, record.state) == (section, "running"))
  }

  /// The table of Options.md.
  @Test
  func everySectionHasItsDeadline() {
    let short = Watchdog.Section.allCases.map { Watchdog.defaultDeadline($0, after: [0.5, 1]) }
    #expect(short == [120, 600, 60, 600, 600, 60])
    #expect(Watchdog.defaultDeadline(.step, after: [900, 5, 4]) == 20 * 5)
  }

  /// Waits at most ten seconds until a condition holds.
  private func expectSoon(
    _ isTrue: () -> Bool, _ location: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<10_000 where !isTrue() { Thread.sleep(forTimeInterval: 0.001) }
    #expect(isTrue(), sourceLocation: location)
  }

  @Test
  func aLongSectionWithProgressIsNotReported() {
    let isReported = Mutex(false)
    let watchdog = Watchdog(deadlines: [.evaluation: 0.5], interval: 0.01) { _ in
      isReported.withLock { $0 = true }
    }
    watchdog.enter(.evaluation)
    for _ in 0..<10 {
      Thread.sleep(forTimeInterval: 0.1)
      watchdog.restart()
    }
    #expect(!isReported.withLock { $0 })
    expectSoon { isReported.withLock { $0 } }
    // Without this use, the watchdog might be released before it reports.
    watchdog.enter(.end)
  }

  @Test
  func aSectionThatLastsTooLongIsReported() throws {
    let folder = try TemporaryFolder()
    let messages = Mutex<[String]>([])
    let watchdog = Watchdog(deadlines: [.evaluation: 0.06], interval: 0.01) { message in
      let message = message()
      messages.withLock { $0.append(message) }
    }
    watchdog.join(rank: 0, of: 1, folder: folder.path)
    watchdog.enter(.step, "reduction", step: 3)
    watchdog.add(stepSeconds: 0.1)
    expectSoon { Heartbeat.last(folder: folder.path, rank: 0)?.section == "reduction" }
    // After many checks, a step is not late yet; an evaluation would be.
    Thread.sleep(forTimeInterval: 0.2)
    #expect(messages.withLock { $0 }.isEmpty)
    watchdog.enter(.evaluation)
    expectSoon { messages.withLock { !$0.isEmpty } }
    let message = messages.withLock { $0 }.first ?? ""
    #expect(message.contains("in evaluation: it makes no progress; "), "\(message)")
    #expect(message.hasSuffix("give a longer --deadline evaluation=SECONDS"), "\(message)")
    #expect(Heartbeat.last(folder: folder.path, rank: 0)?.state == "late")
    watchdog.enter(.end)
    watchdog.end("finished")
    // The thread that sees a request to stop may be later than the end.
    watchdog.write("stopping")
    let record = Heartbeat.last(folder: folder.path, rank: 0)
    #expect(record?.state == "finished" && record?.step == 3)
  }
}
