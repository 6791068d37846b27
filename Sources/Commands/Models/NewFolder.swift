import Foundation
import Training

/// Makes a folder whole or not at all: `body` fills one beside it, which then gets its name.
///
/// - Throws: `CheckpointError.unwritable` where files cannot be made; what `body` throws.
func makeFolder(_ output: String, _ body: (_ folder: String) throws -> Void) throws {
  // Without a slash at the end.
  let final = URL(fileURLWithPath: output).standardizedFileURL.path
  let partial = "\(final).partial-\(getpid())"
  let manager = FileManager.default
  do {
    try manager.createDirectory(atPath: partial, withIntermediateDirectories: true)
    try body(partial)
    try manager.moveItem(atPath: partial, toPath: final)
  } catch {
    try? manager.removeItem(atPath: partial)
    throw error is CocoaError
      ? CheckpointError.unwritable(path: output, reason: error.localizedDescription) : error
  }
}
