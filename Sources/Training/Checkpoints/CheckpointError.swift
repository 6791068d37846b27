import Platform

/// The errors of checkpoints and run folders.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  case notFound(path: String)
  /// The last checkpoint of a run that ends could not be written.
  case unsaved(step: Int, reason: String)
  /// A file does not have the contents that were written.
  case damaged(file: String, reason: String)
  /// A file exists but cannot be read, or has another format version.
  case unreadable(file: String, reason: String)
  /// All checkpoints are damaged.
  case noneIntact(folder: String)
  /// A file's tensors do not match the model's parameters.
  case otherModel(path: String, differences: String)
  /// Another program, `holder`, has the lock of the run's folder.
  case inUse(folder: String, holder: String)

  package var description: String {
    switch self {
    case .unsaved(let step, let reason):
      "no checkpoint after step \(step), the last step of this start: \(reason); free disk space "
        + "and run the same command: it resumes from the previous checkpoint"
    case .notFound(let path): "there is no checkpoint in \(path)"
    case .damaged(let file, let reason): "\(file) is damaged: \(reason)"
    case .unreadable(let file, let reason): "cannot resume from \(file): \(reason)"
    case .noneIntact(let folder):
      "no checkpoint in \(folder) is intact; they were renamed to step-*-damaged, and the same "
        + "command now starts at step 0"
    case .otherModel(let path, let differences):
      "\(path) does not hold this model: \(differences)"
    case .inUse(let folder, let holder):
      "\(folder) is in use by \(holder), which is running; stop it, or choose another --output"
    }
  }
}
