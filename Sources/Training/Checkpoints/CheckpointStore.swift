import Foundation
import Platform

/// The checkpoints of a run: `RUN/checkpoints/step-00001000/` and so on.
///
/// A checkpoint is an `AtomicFolder` with checksums of its files, of which `state.json`, the last, has
/// those of the others. What a torn save leaves is removed by the next one.
package struct CheckpointStore: Sendable {
  package let folder: String
  /// How many of the newest are kept.
  let keep: Int
  /// Steps whose checkpoints are kept for good.
  let milestones: Set<Int>
  /// Called before every write, flush and rename of a save.
  package let fault: FaultHook

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

  /// The steps of all checkpoints, rising; damaged ones that were set aside do not count.
  package func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0 else {
        return nil
      }
      return path(step: step).hasSuffix(name) ? step : nil
    }.sorted()
  }

  /// The newest checkpoint whose files are what was written; nil when there is none.
  ///
  /// A damaged one is named to `log`, set aside under another name, and the one before is taken. Throws
  /// `unreadable` for one that cannot be judged, and `noneSound` when all there are were damaged.
  package func newestSound(
    log: (String) -> Void
  ) throws -> (path: String, state: CheckpointState)? {
    let steps = steps()
    for step in steps.reversed() {
      let path = path(step: step)
      do {
        return (path, try CheckpointState(verifying: path))
      } catch CheckpointError.damaged(let file, let reason) {
        log("\(file) is damaged: \(reason); going back to the checkpoint before it")
        let aside = path + "-damaged"
        try? FileManager.default.removeItem(atPath: aside)
        try? FileManager.default.moveItem(atPath: path, toPath: aside)
      }
    }
    if !steps.isEmpty { throw CheckpointError.noneSound(folder: folder) }
    return nil
  }

  /// Writes a checkpoint.
  ///
  /// - Parameters:
  ///   - files: small files, by name.
  ///   - write: writes the large ones into the folder that it is given, flushed, and returns their
  ///     checksums by name.
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
    try Folder.flush(Folder.parent(of: folder), fault: fault)
    prune(after: state.step)
  }

  /// Removes all but the newest, the milestones, and the one that was just `saved`.
  private func prune(after saved: Int) {
    for step in steps().dropLast(keep) where step != saved && !milestones.contains(step) {
      try? FileManager.default.removeItem(atPath: path(step: step))
    }
  }
}
