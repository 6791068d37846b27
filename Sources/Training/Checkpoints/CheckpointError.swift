import Platform

/// What can be wrong with a checkpoint or a run folder.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  case notFound(path: String)
  /// A run ended and its last checkpoint could not be written.
  case unsaved(step: Int, reason: String)
  /// A file is not what was written.
  case damaged(file: String, reason: String)
  /// A file is there and cannot be read, or is of another version of this program.
  case unreadable(file: String, reason: String)
  /// There were checkpoints, and all of them are damaged.
  case noneSound(folder: String)
  /// The tensors of a file are not the model's.
  case otherModel(path: String, differences: String)
  /// Another program writes into the run's folder; `holder` says which.
  case inUse(folder: String, holder: String)

  package var description: String {
    switch self {
    case .unsaved(let step, let reason):
      "there is no checkpoint after step \(step), the last of this start: \(reason); make room, then "
        + "start again: the run goes on from the checkpoint before it"
    case .notFound(let path): "there is no checkpoint in \(path)"
    case .damaged(let file, let reason): "\(file) is damaged: \(reason)"
    case .unreadable(let file, let reason): "cannot go on from \(file): \(reason)"
    case .noneSound(let folder):
      "no checkpoint in \(folder) is sound any more; they were set aside, and the same command now "
        + "begins again at step 0"
    case .otherModel(let path, let differences):
      "\(path) does not hold this model: \(differences)"
    case .inUse(let folder, let holder):
      "\(folder) is in use by \(holder), which is running; stop it, or choose another --output"
    }
  }
}
