/// What can go wrong between ranks.
package enum CollectivesError: Error, Equatable, CustomStringConvertible {
  /// The launcher counts `expected` ranks, but MPI only one: two MPI libraries.
  case launcherDisagrees(launcher: String, expected: Int, library: String)
  /// The launcher counts several ranks and tells none of them of the others.
  case launcherIsSilent(launcher: String, count: Int)
  /// This MPI does not let several threads call it.
  case threadsNotAllowed(library: String)
  /// An MPI call failed.
  case callFailed(call: String, text: String)
  /// Something went wrong on rank `rank`, and so for all.
  case rankFailed(rank: Int, host: String, text: String)
  /// Ranks were started with different values of `key`.
  case ranksDisagree(key: String, rank: Int, host: String, value: String, first: String)

  package var description: String {
    switch self {
    case .launcherDisagrees(let launcher, let expected, let library):
      "\(launcher) started \(expected) ranks, but this program was built with \(library), which "
        + "sees only one; start it with that library's own mpirun, or build it against the MPI "
        + "of \(launcher)"
    case .launcherIsSilent(let launcher, let count):
      "\(launcher) started \(count) ranks and tells none of the others; give it --mpi=pmix, or "
        + "--mpi=pmi2 where this program was built with MPICH"
    case .threadsNotAllowed(let library):
      "\(library) does not allow calls from several threads (MPI_THREAD_MULTIPLE); use another MPI"
    case .callFailed(let call, let text): "\(call) failed: \(text)"
    case .rankFailed(let rank, let host, let text): "rank \(rank) on \(host): \(text)"
    case .ranksDisagree(let key, let rank, let host, let value, let first):
      "rank \(rank) on \(host) has another \(key) than rank 0: \(value.prefix(100)), not "
        + "\(first.prefix(100)); give all ranks the same"
    }
  }
}
