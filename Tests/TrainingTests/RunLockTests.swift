import Foundation
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
    #expect(!lock.refresh())
    let next = try RunLock(folder: folder.path)
    next.release()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["config.json"])
  }

  @Test
  func aHolderElsewhereIsBelievedForTwoMinutes() throws {
    let folder = try TemporaryFolder()
    try write(elsewhere, age: 100, folder)
    let refusal = #expect(throws: CheckpointError.self) { try RunLock(folder: folder.path) }
    #expect(refusal?.description.contains("process 1 on far") == true)
    try write(elsewhere, age: 130, folder)
    let lock = try RunLock(folder: folder.path)
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
