import Foundation
import Platform
import Synchronization
import TestSupport
import Testing
import Training

struct CheckpointStoreTests {
  private struct Injected: Error {}

  private func save(_ store: CheckpointStore, step: Int) throws {
    try store.save(
      CheckpointState(step: step, tokens: 10 * step),
      files: ["config.json": Data("{}".utf8), "vocab.txt": Data("[PAD]\n".utf8)]
    ) { folder in
      let file = try DurableFile(path: folder + "/model", fault: store.fault)
      try Array("weights \(step)".utf8).withUnsafeBytes { try file.write($0) }
      return ["model": try file.finish()]
    }
  }

  private func newest(_ store: CheckpointStore) -> Int? {
    (try? store.newestIntact { _ in })?.state.step
  }

  @Test
  func theNewestIsFoundAndOldOnesAreRemovedButMilestones() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path, keep: 2, milestones: [20])
    #expect(newest(store) == nil)
    for step in [10, 20, 30, 40, 50] { try save(store, step: step) }
    #expect(store.steps() == [20, 40, 50])
    let found = try store.newestIntact { Issue.record("\($0)") }
    #expect(found?.state.step == 50 && found?.state.tokens == 500)
  }

  /// Later steps may have other bits on another kind of machine, which is reported once.
  @Test
  func aMoveToAnotherKindOfMachineIsNoted() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    let (zen, skylake) = (
      Machine(processor: "EPYC", library: "OpenBLAS kernels Zen"),
      Machine(processor: "Xeon", library: "OpenBLAS kernels SkylakeX")
    )
    // A checkpoint of an earlier version names no machine.
    var state = CheckpointState(step: 1)
    let unknown = state.move(to: zen)
    #expect(unknown == nil)
    try store.save(state, files: [:]) { _ in [:] }
    state = try #require(try store.newestIntact { Issue.record("\($0)") }?.state)
    #expect(state.machine == zen)
    let notes = [zen, skylake, skylake].map { state.move(to: $0) }
    #expect(notes[0] == nil && notes[2] == nil)
    let note = try #require(notes[1])
    #expect(note.contains("computed on EPYC with OpenBLAS kernels Zen and is resumed on Xeon with"))
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
      let found = try store.newestIntact { lines.append($0) }
      #expect(found?.state.step == 1)
      #expect(lines.count == 1 && lines[0].contains(name))
      #expect(store.steps() == [1])
    }
  }

  /// Fails a save at every point at which it can fail.
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
      // The last flush comes after the rename, when the new checkpoint is complete.
      #expect(steps == 1 || steps == 2)
      try save(CheckpointStore(runFolder: folder.path), step: 3)
      #expect(newest(failing) == 3)
      point += 1
    }
    #expect(point >= 14)
  }

  @Test
  func everyFlippedBitOfTheStateIsFound() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try save(store, step: 12)
    let path = store.path(step: 12)
    let intact = try Data(contentsOf: URL(fileURLWithPath: path + "/state.json"))
    #expect(throws: Never.self) { try CheckpointState(verifying: path) }
    for index in intact.indices {
      var damaged = intact
      damaged[index] ^= 1
      try damaged.write(to: URL(fileURLWithPath: path + "/state.json"))
      #expect(throws: CheckpointError.self, "byte \(index)") {
        try CheckpointState(verifying: path)
      }
    }
  }

  /// A checkpoint that cannot be verified may be intact, so it is neither renamed nor skipped.
  @Test
  func whatCannotBeReadIsNotSetAside() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try save(store, step: 1)
    try save(store, step: 2)
    let path = store.path(step: 2) + "/state.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try text.replacingOccurrences(of: "\"format_version\" : 1", with: "\"format_version\" : 2")
      .write(toFile: path, atomically: true, encoding: .utf8)
    let later = #expect(throws: CheckpointError.self) { try store.newestIntact { _ in } }
    #expect(later?.description.contains("version is 2") == true)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let unreadable = #expect(throws: CheckpointError.self) { try store.newestIntact { _ in } }
    #expect(unreadable?.description.contains("cannot be read") == true)
    #expect(store.steps() == [1, 2])
  }

  @Test
  func aMissingFileIsNamed() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try save(store, step: 1)
    try FileManager.default.removeItem(atPath: store.path(step: 1) + "/vocab.txt")
    var lines: [String] = []
    let error = CheckpointError.noneIntact(folder: store.folder)
    #expect(throws: error) { try store.newestIntact { lines.append($0) } }
    #expect(try store.newestIntact { lines.append($0) } == nil, "the next start begins again")
    #expect(lines.count == 1 && lines[0].contains("vocab.txt"))
    #expect(FileManager.default.fileExists(atPath: store.path(step: 1) + "-damaged"))
  }

  /// The disk is full while a small file or a large file is written.
  @Test
  func aFullDiskIsAnErrorThatNamesTheFile() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try save(store, step: 1)
    let failure = #expect(throws: FileError.self) {
      try store.save(CheckpointState(step: 2), files: ["full": Data("{}".utf8)]) { temporary in
        try FileManager.default.createSymbolicLink(
          atPath: temporary + "/full", withDestinationPath: "/dev/full")
        return [:]
      }
    }
    #expect(failure?.description.contains("/full: No space left") == true)
    let numbers: [Float] = [1, 2]
    #expect(throws: FileError.self) {
      try store.save(CheckpointState(step: 2), files: [:]) { _ in
        let writer = try SafetensorsWriter(path: "/dev/full", tensors: [("a", [2])])
        try writer.write(numbers, count: 2)
        try writer.finish()
        return [:]
      }
    }
    #expect(newest(store) == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 1)
  }

  /// After a failure at any point, the existing checkpoint of the same step remains.
  @Test
  func savingAStepAgainNeverLosesIt() throws {
    let folder = try TemporaryFolder()
    let labels = Mutex<[String]>([])
    let store = CheckpointStore(runFolder: folder.path) { label in
      labels.withLock { $0.append(label) }
    }
    try save(store, step: 1)
    labels.withLock { $0 = [] }
    try save(store, step: 1)
    let all = labels.withLock { $0 }
    #expect(all.contains { $0.hasPrefix("make room") })
    for label in all {
      let failing = CheckpointStore(runFolder: folder.path) { if $0 == label { throw Injected() } }
      #expect(throws: (any Error).self) { try save(failing, step: 1) }
      #expect(newest(store) == 1, "after a failure to \(label)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 1)
  }

  @Test
  func theCheckpointJustSavedIsNotPruned() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path, keep: 1)
    try save(store, step: 9)
    try save(store, step: 5)
    #expect(store.steps() == [5, 9])
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
