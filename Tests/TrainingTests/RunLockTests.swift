import Foundation
import TestSupport
import Testing
import Training

struct RunLockTests {
  private func write(_ holder: String, age: Double, _ folder: TemporaryFolder) throws {
    let path = folder.path + "/.lock"
    try Data(holder.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
  }

  private let elsewhere = #"{"host":"far","process":1,"started":"5","boot":"b"}"#

  @Test
  func oneHolderAtATime() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder.path + "/config.json"))
    let lock = try RunLock(folder: folder.path)
    #expect(throws: CheckpointError.self) { try RunLock(folder: folder.path) }
    #expect(lock.refresh())
    lock.release()
    let next = try RunLock(folder: folder.path)
    next.release()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["config.json"])
  }

  /// A lock is lost to another holder, and not to a file system that fails for a while.
  @Test
  func whatCannotBeReadIsNotLost() throws {
    let folder = try TemporaryFolder()
    let lock = try RunLock(folder: folder.path)
    let path = folder.path + "/.lock"
    try FileManager.default.moveItem(atPath: path, toPath: path + "-away")
    #expect(lock.refresh())
    try FileManager.default.moveItem(atPath: path + "-away", toPath: path)
    #expect(lock.refresh())
    try write(elsewhere, age: 0, folder)
    #expect(!lock.refresh())
  }

  @Test
  func aHolderElsewhereIsRefusedAtItsNextSign() throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: 5, folder)
    let path = folder.path + "/.lock"
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 1)
      utimes(path, nil)
    }
    let refusal = #expect(throws: CheckpointError.self) {
      try RunLock(folder: folder.path) { Issue.record("\($0)") }
    }
    #expect(refusal?.description.contains(/process 1 on far, which gave a sign \d s ago/) == true)
  }

  /// As after a host was lost: its successor goes on by itself.
  @Test
  func aSilentHolderElsewhereIsWaitedForUntilTwoMinutes() throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: 112, folder)
    var sentences: [String] = []
    let lock = try RunLock(folder: folder.path) { sentences.append($0) }
    #expect(sentences.count == 1)
    #expect(sentences.first?.contains("process 1 on far held") == true)
    #expect(sentences.first?.contains(/gave no sign for 11\d s/) == true)
    // The other comes back and finds that it has lost the lock; it must not take ours away.
    try write(elsewhere, age: 0, folder)
    #expect(!lock.refresh())
    lock.release()
    #expect(FileManager.default.fileExists(atPath: folder.path + "/.lock"))
  }

  @Test
  func aHolderThatEndedHereAndALockThatIsTornHaveLostIt() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(fileURLWithPath: folder.path + "/config.json"))
    let first = try RunLock(folder: folder.path)
    let text = try String(contentsOfFile: folder.path + "/.lock", encoding: .utf8)
    _ = first
    // The same process number, but of a process that began at another time.
    let other = text.replacing(/"started":"\d+"/, with: "\"started\":\"1\"")
    #expect(other != text)
    try write(other, age: 1, folder)
    try RunLock(folder: folder.path).release()
    try write("", age: 1, folder)
    try RunLock(folder: folder.path).release()
  }
}
