import Foundation
import Synchronization
import Testing
import Training

struct CheckpointStoreTests {
  private struct Injected: Error {}

  private func save(_ store: CheckpointStore, step: Int) throws {
    try store.save(
      CheckpointState(step: step, tokens: 10 * step),
      files: ["config.json": Data("{}".utf8), "vocab.txt": Data("[PAD]\n".utf8)]
    ) { folder in
      try Data("weights \(step)".utf8).write(to: URL(fileURLWithPath: folder + "/model"))
      return ["model"]
    }
  }

  private func newest(_ store: CheckpointStore) -> Int? {
    store.newestSound { _ in }.map(\.state.step)
  }

  @Test
  func theNewestIsFoundAndOldOnesAreRemovedButMilestones() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path, keep: 2, milestones: [20])
    #expect(newest(store) == nil)
    for step in [10, 20, 30, 40, 50] { try save(store, step: step) }
    #expect(store.steps() == [20, 40, 50])
    let found = store.newestSound { Issue.record("\($0)") }
    #expect(found?.state.step == 50 && found?.state.tokens == 500)
  }

  @Test(arguments: ["model", "config.json", "vocab.txt", "state.json"])
  func damageIsNamedAndTheOneBeforeIsTaken(name: String) throws {
    for truncates in [false, true] {
      let folder = try TemporaryFolder()
      let store = CheckpointStore(runFolder: folder.path)
      try save(store, step: 1)
      try save(store, step: 2)
      let path = store.path(step: 2) + "/" + name
      var data = try Data(contentsOf: URL(fileURLWithPath: path))
      if truncates { data.removeLast() } else { data[data.count / 2] ^= 4 }
      try data.write(to: URL(fileURLWithPath: path))
      var lines: [String] = []
      let found = store.newestSound { lines.append($0) }
      #expect(found?.state.step == 1)
      #expect(lines.count == 1 && lines[0].contains(name))
      #expect(store.steps() == [1])
    }
  }

  /// Every point of a save at which something can fail.
  @Test
  func aSaveThatFailsAnywhereLeavesTheOneBefore() throws {
    var point = 0
    while true {
      let folder = try TemporaryFolder()
      try save(CheckpointStore(runFolder: folder.path), step: 1)
      let calls = Mutex(0)
      let target = point
      let failing = CheckpointStore(runFolder: folder.path) { _ in
        let call = calls.withLock { count in
          count += 1
          return count - 1
        }
        if call == target { throw Injected() }
      }
      let failed = (try? save(failing, step: 2)) == nil
      let steps = newest(failing)
      if !failed {
        #expect(steps == 2)
        break
      }
      // The last flush comes after the rename: the new checkpoint is there already, and whole.
      #expect(steps == 1 || steps == 2)
      try save(CheckpointStore(runFolder: folder.path), step: 3)
      #expect(newest(failing) == 3)
      point += 1
    }
    #expect(point >= 7)
  }

  @Test
  func whatATornSaveLeavesIsRemoved() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    let torn = store.folder + "/.saving-5"
    try FileManager.default.createDirectory(atPath: torn, withIntermediateDirectories: true)
    try Data("half".utf8).write(to: URL(fileURLWithPath: torn + "/model"))
    #expect(newest(store) == nil)
    try save(store, step: 5)
    #expect(newest(store) == 5)
    #expect(!FileManager.default.fileExists(atPath: torn))
  }
}
