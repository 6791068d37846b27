import Foundation

/// The checkpoints of a run: `RUN/checkpoints/step-00001000/` and so on.
///
/// A checkpoint is written under a temporary name, every file is flushed and its checksum taken,
/// `state.json` comes last, then the folder is renamed: it is there whole or not at all. What a torn
/// save leaves is removed by the next one.
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
  package func path(step: Int) -> String {
    let digits = String(step)
    return folder + "/step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

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
    let manager = FileManager.default
    try step("make the folder", folder) {
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(".saving-") {
      try? manager.removeItem(atPath: folder + "/" + name)
    }
    let temporary = folder + "/.saving-\(state.step)"
    defer { try? manager.removeItem(atPath: temporary) }
    try step("make the temporary folder", temporary) {
      try manager.createDirectory(atPath: temporary, withIntermediateDirectories: false)
    }
    var checksums = try write(temporary)
    for (name, data) in files.sorted(by: { $0.key < $1.key }) {
      checksums[name] = try put(data, temporary + "/" + name)
    }
    var state = state
    state.checksums = checksums.mapValues { String($0, radix: 16) }
    _ = try put(try state.sealed(), temporary + "/state.json")
    try DurableFile.flush(folder: temporary, fault: fault)
    try publish(temporary, as: path(step: state.step))
    try DurableFile.flush(folder: folder, fault: fault)
    try DurableFile.flush(folder: (folder as NSString).deletingLastPathComponent, fault: fault)
    prune(after: state.step)
  }

  /// Renames a finished save. One that is there already for this step makes room, and comes back
  /// when the renaming fails.
  private func publish(_ temporary: String, as final: String) throws {
    let manager = FileManager.default
    let replaced = temporary + "-replaced"
    let replaces = manager.fileExists(atPath: final)
    if replaces {
      try step("make room for", final) { try manager.moveItem(atPath: final, toPath: replaced) }
    }
    do {
      try step("rename", final) { try manager.moveItem(atPath: temporary, toPath: final) }
    } catch {
      if replaces { try? manager.moveItem(atPath: replaced, toPath: final) }
      throw error
    }
    if replaces { try? manager.removeItem(atPath: replaced) }
  }

  /// Removes all but the newest, the milestones, and the one that was just `saved`.
  private func prune(after saved: Int) {
    for step in steps().dropLast(keep) where step != saved && !milestones.contains(step) {
      try? FileManager.default.removeItem(atPath: path(step: step))
    }
  }

  /// Writes and flushes a small file; returns its checksum.
  private func put(_ data: Data, _ path: String) throws -> UInt32 {
    let file = try DurableFile(path: path, fault: fault)
    try data.withUnsafeBytes { try file.write($0) }
    return try file.finish()
  }

  /// One thing that may fail; the error names the path.
  private func step(_ name: String, _ path: String, _ body: () throws -> Void) throws {
    do {
      try fault("\(name) \((path as NSString).lastPathComponent)")
      try body()
    } catch let error as CheckpointError {
      throw error
    } catch {
      let reason = (error as? CocoaError)?.underlying ?? error
      throw CheckpointError.unwritable(
        path: path, reason: "\(name): \((reason as NSError).localizedDescription)")
    }
  }
}
