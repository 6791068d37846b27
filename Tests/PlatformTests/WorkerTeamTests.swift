import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

struct WorkerTeamTests {
  @Test(arguments: [1, 2, 5])
  func everyWorkerRunsOnceInEachRound(count: Int) {
    let team = WorkerTeam(processors: Array(repeating: -1, count: count))
    defer { team.end() }
    let runs = Shared([Int](repeating: 0, count: count))
    for round in 1...50 {
      team.run { worker in runs.value.withLock { $0[worker] += 1 } }
      #expect(runs.value.withLock { $0 } == Array(repeating: round, count: count))
    }
  }

  /// The workers wait for each other, which fails on a thread pool with fewer threads.
  @Test
  func workersRunAtTheSameTime() {
    let team = WorkerTeam(processors: [-1, -1, -1])
    defer { team.end() }
    let arrived = Monitor(0)
    team.run { _ in
      arrived.withLock { $0 += 1 }
      arrived.wakeAll()
      #expect(arrived.wait(seconds: 10) { $0 == 3 })
    }
  }

  @Test
  func aWorkerStaysOnItsProcessor() throws {
    let processor = try #require(allowedProcessors().last)
    let team = WorkerTeam(processors: [processor, -1])
    defer { team.end() }
    let allowed = Shared([[Int]](repeating: [], count: 2))
    team.run { worker in allowed.value.withLock { $0[worker] = allowedProcessors() } }
    #expect(allowed.value.withLock { $0 } == [[processor], allowedProcessors()])
  }

  /// In a separate process, because other tests start threads too.
  @Test
  func noThreadIsLeft() async {
    await #expect(processExitsWith: .success) {
      let before = threadCount()
      for _ in 0..<10 {
        let team = WorkerTeam(processors: [-1, -1, -1])
        team.run { _ in }
        team.end()
        team.end()
      }
      for _ in 0..<10 { WorkerTeam(processors: [-1, -1]).run { _ in } }
      precondition(threadsFall(below: before + 10), "\(threadCount()) threads, \(before) before")
    }
  }

  @Test
  func aThreadThatIsRefusedEndsTheProgramWithASentence() async {
    let result = await #expect(
      processExitsWith: .exitCode(ResourceShortage.status), observing: [\.standardErrorContent]
    ) {
      refuseThreads()
      _ = WorkerTeam(processors: Array(repeating: -1, count: 100))
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("electra: no thread can be started on "), "\(text)")
    #expect(text.split(separator: "\n").count == 1, "no backtrace: \(text)")
  }

  @Test
  func aTeamThatHasEndedDoesNoWork() async {
    await #expect(processExitsWith: .failure) {
      let team = WorkerTeam(processors: [-1])
      team.end()
      team.run { _ in }
    }
  }
}

/// Leaves this process 2 MB of address space: enough for a message, too little for another stack.
func refuseThreads() {
  let statistics = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  let pages = statistics.split(separator: " ").first.flatMap { UInt($0) } ?? 0
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  limit.rlim_cur = pages * UInt(sysconf(Int32(_SC_PAGESIZE))) + (2 << 20)
  setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
}
