import Collectives
import Foundation
import Platform
import TestSupport
import Testing
import Training

struct RunLockTests {
  /// Returns a simulated clock, which does not wait; `events` happen at their time.
  private func waiter(_ events: (time: Double, event: () -> Void)...) -> RunLock.Clock {
    var seconds = 0.0
    var left = events
    return RunLock.Clock(
      seconds: { seconds },
      wait: {
        seconds += $0
        while let next = left.first, next.time <= seconds {
          next.event()
          left.removeFirst()
        }
      })
  }

  /// Writes a lock file that is `age` seconds old.
  private func write(_ holder: String, age: Double, _ folder: TemporaryFolder) throws {
    let path = folder.path + "/.lock"
    try Data(holder.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
  }

  private func write(_ holder: RunLock.Holder, age: Double, _ folder: TemporaryFolder) throws {
    let text = String(decoding: try JSONEncoder().encode(holder), as: UTF8.self)
    try write(text, age: age, folder)
  }

  /// Returns a holder that describes this process, except for the given fields.
  private func holder(
    host: String? = nil, process: Int32? = nil, started: String? = nil, boot: String? = nil,
    namespace: String? = nil
  ) -> RunLock.Holder {
    let this = RunLock.Holder.ofThisProcess
    return RunLock.Holder(
      host: host ?? this.host, process: process ?? this.process, started: started ?? this.started,
      boot: boot ?? this.boot, namespace: namespace ?? this.namespace, token: UUID().uuidString)
  }

  private var elsewhere: RunLock.Holder { holder(host: "far", process: 1, boot: "b") }

  @Test
  func oneHolderAtATime() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "config.json")
    let lock = try RunLock(folder: folder.path)
    let refusal = #expect(throws: CheckpointError.self) { try RunLock(folder: folder.path) }
    #expect(refusal?.description.contains("is in use by process \(getpid()) on ") == true)
    #expect(lock.refresh())
    lock.release()
    let next = try RunLock(folder: folder.path)
    next.release()
    #expect(try folder.names() == ["config.json"])
  }

  /// Waiters use the real clock with short pauses: some see a lock file that is not written yet.
  @Test
  func oneOfManyThatComeAtOnceGetsTheLock() async throws {
    @Sendable func taken(_ path: String) -> Int {
      let clock = RunLock.Clock(wait: { _ in Thread.sleep(forTimeInterval: 0.001) })
      return (try? RunLock(folder: path, clock: clock)) != nil ? 1 : 0
    }
    for _ in 0..<50 {
      let folder = try TemporaryFolder()
      // The holder has ended, so that all waiters try to remove its file.
      try write(holder(started: "1"), age: 1, folder)
      let path = folder.path
      let count = await withTaskGroup { group in
        for _ in 0..<8 { group.addTask { taken(path) } }
        return await group.reduce(0, +)
      }
      #expect(count == 1)
      #expect(try folder.names() == [".lock"])
    }
  }

  /// A lock is lost to another holder, not to a temporary failure of the file system.
  @Test
  func whatCannotBeReadIsNotLost() throws {
    let folder = try TemporaryFolder()
    let lock = try RunLock(folder: folder.path)
    try write("{", age: 0, folder)
    #expect(lock.refresh())
    unlink(folder.file(".lock"))
    #expect(lock.refresh())
    #expect(try folder.names() == [".lock"], "the file is created again")
    try write(elsewhere, age: 0, folder)
    #expect(!lock.refresh())
    // It must not remove the other's lock.
    lock.release()
    #expect(try folder.names() == [".lock"])
  }

  /// The age of the file does not matter, since clocks of hosts and file servers may differ.
  @Test(arguments: [0, 180, 86_400, -180, -86_400])
  func aHolderElsewhereIsRefusedAtItsNextHeartbeat(age: Double) throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: age, folder)
    var sentences: [String] = []
    let refusal = #expect(throws: CheckpointError.self) {
      try RunLock(
        folder: folder.path,
        clock: waiter((110, { try? write(elsewhere, age: age - 10, folder) })),
        onWait: { sentences.append($0) })
    }
    #expect(refusal?.description.contains("in use by process 1 on far") == true)
    #expect(
      sentences == [
        "process 1 on far holds \(folder.path); waiting for its next heartbeat, at most 120 s"
      ])
  }

  /// A run can resume by itself after its host was lost.
  @Test(arguments: [0, 180, -86_400])
  func aSilentHolderElsewhereIsReplacedAfterTwoMinutesOfTheWaiter(age: Double) throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: age, folder)
    let clock = waiter()
    let lock = try RunLock(folder: folder.path, clock: clock)
    #expect((120...121).contains(clock.seconds()))
    #expect(lock.refresh())
    #expect(try folder.names() == [".lock"])
  }

  /// The holder's process number means nothing here.
  @Test
  func aHolderOfAnotherNamespaceOrBootIsJudgedByItsHeartbeats() throws {
    for unseen in [
      holder(process: 1, namespace: "pid:[1]"), holder(process: 999_999_999, namespace: ""),
      holder(started: "1", boot: "another"),
    ] {
      let folder = try TemporaryFolder()
      try write(unseen, age: 300, folder)
      #expect(throws: CheckpointError.self) {
        try RunLock(
          folder: folder.path, clock: waiter((9, { utimes(folder.file(".lock"), nil) })))
      }
      let clock = waiter()
      try RunLock(folder: folder.path, clock: clock).release()
      #expect(clock.seconds() >= 120)
    }
  }

  /// The process number is unused, or belongs to a process with another start time.
  @Test
  func aHolderThatEndedHereIsReplacedAtOnce() throws {
    for ended in [holder(started: "1"), holder(process: 999_999_999)] {
      let folder = try TemporaryFolder()
      try write(ended, age: 0, folder)
      try RunLock(folder: folder.path, clock: waiter((0, { Issue.record("waited") }))).release()
    }
  }

  /// The file may be under construction.
  @Test
  func aLockThatNamesNobodyIsWaitedFor() throws {
    for damaged in ["", #"{"host":"far","process":1,"started":"5","boot":"b"}"#] {
      let folder = try TemporaryFolder()
      try write(damaged, age: 0, folder)
      #expect(throws: CheckpointError.self) {
        try RunLock(
          folder: folder.path, clock: waiter((2, { try? write(elsewhere, age: 0, folder) })))
      }
      try write(damaged, age: 0, folder)
      let clock = waiter()
      try RunLock(folder: folder.path, clock: clock).release()
      #expect(clock.seconds() >= 120)
    }
  }

  /// A suspended waiter observes nothing.
  @Test
  func timeInWhichTheWaiterStandsStillDoesNotCount() throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: 0, folder)
    var seconds = 0.0
    var waits = 0
    let clock = RunLock.Clock(
      seconds: { seconds },
      wait: { _ in
        waits += 1
        seconds += 1000
      })
    try RunLock(folder: folder.path, clock: clock).release()
    #expect(waits == 60)
  }

  @Test
  func aWaiterThatIsAskedToStopEnds() throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: -86_400, folder)
    var isAsked = false
    #expect(throws: TrainerError.stopped) {
      try RunLock(
        folder: folder.path, clock: waiter((3, { isAsked = true })), isAskedToStop: { isAsked })
    }
  }

  @Test
  func theReasonIsGivenWhereNoLockCanBeMade() throws {
    let folder = try TemporaryFolder()
    let refusal = #expect(throws: FileError.self) {
      try RunLock(folder: folder.path + "/none")
    }
    #expect(refusal?.description.hasSuffix(".lock: No such file or directory") == true)
  }
}
