import Collectives
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing
import Training

struct WatchdogTests {
  private func beat(
    _ rank: Int, step: Int = 7, section: String = "reduction", time: Double = 100
  ) -> Heartbeat.Beat {
    Heartbeat.Beat(
      rank: rank, host: "n\(rank + 1)", step: step, section: section, state: "running", time: time)
  }

  @Test
  func theRankThatOthersWaitForIsNamed() {
    func blame(_ beats: [Heartbeat.Beat?]) -> String {
      Watchdog.blame(beats, own: 0, patience: 5)
    }
    #expect(
      blame([beat(0), beat(1), beat(2, section: "input", time: 60)])
        == "no sign of life for 40 s from rank 2 on n3 in input of step 7")
    #expect(
      blame([beat(0), beat(1, step: 6), beat(2, section: "computation")])
        == "the others wait for rank 2 on n3 in computation of step 7")
    #expect(
      blame([beat(0), beat(1, step: 8, section: "meeting")]).contains(
        "does the network between n1, n2 carry?"))
    #expect(
      blame([beat(0), beat(1, section: Watchdog.waitingForWeights)]).contains(
        "does the network between n1, n2 carry?"))
    #expect(blame([beat(0), nil]).contains("nothing is known of rank 1"))
  }

  /// A part of a step that does not come back whole is blamed on the rank that is in it.
  @Test(arguments: ["input", "meeting", "computation", "reduction", Watchdog.waitingForWeights])
  func whatARankSaysIsReadBack(section: String) throws {
    let folder = try TemporaryFolder()
    Heartbeat(folder: folder.path, rank: 0).write(step: 3, section: section, state: "running")
    let beat = try #require(Heartbeat.last(folder: folder.path, rank: 0))
    #expect((beat.rank, beat.step, beat.host) == (0, 3, hostName()))
    #expect((beat.section, beat.state) == (section, "running"))
  }

  /// Waits until something has happened that must, at most ten seconds.
  private func expectSoon(
    _ isTrue: () -> Bool, _ location: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<10_000 where !isTrue() { Thread.sleep(forTimeInterval: 0.001) }
    #expect(isTrue(), sourceLocation: location)
  }

  @Test
  func aSectionThatLastsTooLongIsTold() throws {
    let folder = try TemporaryFolder()
    let told = Mutex<[String]>([])
    let watchdog = Watchdog(deadlines: [.evaluation: 0.06], interval: 0.01) { sentence in
      let sentence = sentence()
      told.withLock { $0.append(sentence) }
    }
    watchdog.join(rank: 0, of: 1, folder: folder.path)
    watchdog.enter(.step, "reduction", step: 3)
    watchdog.add(stepSeconds: 0.1)
    expectSoon { Heartbeat.last(folder: folder.path, rank: 0)?.section == "reduction" }
    // Many looks later a step is not late yet, as an evaluation would be.
    Thread.sleep(forTimeInterval: 0.2)
    #expect(told.withLock { $0 }.isEmpty)
    watchdog.enter(.evaluation)
    expectSoon { told.withLock { !$0.isEmpty } }
    #expect(told.withLock { $0 }.first?.contains("in evaluation") == true)
    #expect(Heartbeat.last(folder: folder.path, rank: 0)?.state == "late")
    watchdog.enter(.end)
    watchdog.end("finished")
    // The thread that sees a request to stop may come after the end.
    watchdog.write("stopping")
    let beat = Heartbeat.last(folder: folder.path, rank: 0)
    #expect(beat?.state == "finished" && beat?.step == 3)
  }
}
