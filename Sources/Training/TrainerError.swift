/// The errors that end a training run.
package enum TrainerError: Error, Equatable, CustomStringConvertible {
  /// The gradient is not finite.
  case diverged(Divergence)
  /// The weights of a rank differ from those of rank zero.
  case replicasDiffer(step: Int, rank: Int, tensor: String)
  /// A rank was asked to stop while it evaluated or waited.
  case stopped

  package var description: String {
    switch self {
    case .diverged(let divergence): divergence.description
    case .replicasDiffer(let step, let rank, let tensor):
      "after step \(step), \(tensor) on rank \(rank) differs from rank 0: a memory or processor "
        + "fault on one of their hosts; nothing was saved; start again without that host"
    case .stopped: "stopped as requested; run the same command again"
    }
  }
}
