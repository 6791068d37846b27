import Foundation
import Platform

/// The checkpoints of a run: `RUN/checkpoints/step-00001000/` and so on.
///
/// A checkpoint is an `AtomicFolder`. Its last file, `state.json`, holds the checksums of all
/// files. The next save removes the unfinished folder of a save that was interrupted.
///
/// Invariant: from the first completed save on, a crash at any moment leaves a complete checkpoint
/// on disk. So every file is flushed before the folder is renamed, the rename is flushed before
/// older checkpoints are removed, and a run never saves a step twice: replacing a folder takes two
/// renames.
package struct CheckpointStore: Sendable {
  package let folder: String
  /// The number of newest checkpoints to keep.
  let keep: Int
  /// The steps whose checkpoints are never removed.
  let milestones: Set<Int>
  /// Called before every new folder, write, flush and rename of a save.
  package let fault: FaultHook

  /// The store of the run in `runFolder`, which keeps the `keep` newest checkpoints.
  package init(
    runFolder: String, keep: Int = 3, milestones: Set<Int> = [],
    fault: @escaping FaultHook = { _ in }
  ) {
    folder = runFolder + "/checkpoints"
    self.keep = keep
    self.milestones = milestones
    self.fault = fault
  }

  /// The folder of the checkpoint after `step` steps.
  package func path(step: Int) -> String { folder + "/step-" + step.zeroPadded(8) }

  /// The steps of all checkpoints in ascending order, without those renamed as damaged.
  package func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0 else {
        return nil
      }
      return path(step: step).hasSuffix(name) ? step : nil
    }.sorted()
  }

  /// The newest checkpoint whose files match their checksums; nil if there are no checkpoints.
  ///
  /// A damaged checkpoint is reported to `log` and renamed to `step-N-damaged`, and the previous
  /// one is tried. Throws `unreadable` if a checkpoint cannot be verified, which may be temporary,
  /// and `noneIntact` if all are damaged. The rename makes the next call after `noneIntact` return
  /// nil.
  package func newestIntact(
    log: (String) -> Void
  ) throws -> (path: String, state: CheckpointState)? {
    let steps = steps()
    for step in steps.reversed() {
      let path = path(step: step)
      do {
        return (path, try CheckpointState(verifying: path))
      } catch CheckpointError.damaged(let file, let reason) {
        log("\(file) is damaged: \(reason); trying the previous checkpoint")
        let aside = path + "-damaged"
        try? FileManager.default.removeItem(atPath: aside)
        try? FileManager.default.moveItem(atPath: path, toPath: aside)
      }
    }
    if !steps.isEmpty { throw CheckpointError.noneIntact(folder: folder) }
    return nil
  }

  /// Writes a checkpoint, then removes those that are no longer kept.
  ///
  /// - Parameters:
  ///   - state: the state of the run, without checksums.
  ///   - files: the contents of small files, by name.
  ///   - write: writes and flushes the large files in the given folder, and returns their checksums
  ///     by name.
  /// - Throws: `FileError.unwritable`; errors of `write`. The previous checkpoints are then
  ///   unchanged.
  package func save(
    _ state: CheckpointState, files: [String: Data],
    write: (_ folder: String) throws -> [String: UInt32]
  ) throws {
    let new = try AtomicFolder(replacing: path(step: state.step), fault: fault)
    var checksums = try write(new.partial)
    for (name, data) in files.sorted(by: { $0.key < $1.key }) {
      checksums[name] = try DurableFile.write(
        Array(data), to: new.partial + "/" + name, fault: fault)
    }
    var state = state
    state.checksums = checksums.mapValues { String($0, radix: 16) }
    try DurableFile.write(
      Array(try state.sealed()), to: new.partial + "/state.json", fault: fault)
    try new.publish()
    // The first save creates `checkpoints`, whose own entry must be durable, too.
    try Folder.flush(Folder.parent(of: folder), fault: fault)
    prune(after: state.step)
  }

  /// Removes all checkpoints but the newest, the milestones, and the one of step `saved`.
  ///
  /// The saved one is kept whatever `keep` is and whatever later steps exist.
  private func prune(after saved: Int) {
    for step in steps().dropLast(keep) where step != saved && !milestones.contains(step) {
      try? FileManager.default.removeItem(atPath: path(step: step))
    }
  }
}
