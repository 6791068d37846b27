/// Errors of the communication between ranks.
package enum CollectivesError: Error, Equatable, CustomStringConvertible {
  /// The launcher started `expected` ranks but MPI sees one: they belong to different MPI
  /// libraries.
  case launcherDisagrees(launcher: String, expected: Int, library: String)
  /// The launcher started several ranks without a process management interface (PMI, PMIx).
  case launcherWithoutPMI(launcher: String, count: Int)
  /// This MPI library does not support calls from several threads.
  case threadsNotAllowed(library: String)
  /// An MPI call failed.
  case callFailed(call: String, text: String)
  /// Rank `rank` failed; thrown on the other ranks.
  case rankFailed(rank: Int, host: String, text: String)
  /// Rank `rank` was started with another value of `key` than rank 0.
  case ranksDisagree(key: String, rank: Int, host: String, value: String, first: String)

  package var description: String {
    switch self {
    case .launcherDisagrees(let launcher, let expected, let library):
      "\(launcher) started \(expected) ranks, but this program was built with \(library), which "
        + "sees only one; start it with the mpirun of that library, or build it with the MPI of "
        + "\(launcher)"
    case .launcherWithoutPMI(let launcher, let count):
      "\(launcher) started \(count) ranks without MPI support; give \(launcher) the option "
        + "--mpi=pmix, or --mpi=pmi2 if this program was built with MPICH"
    case .threadsNotAllowed(let library):
      "\(library) does not allow calls from several threads (MPI_THREAD_MULTIPLE); use another MPI"
    case .callFailed(let call, let text): "\(call) failed: \(text)"
    case .rankFailed(let rank, let host, let text): "rank \(rank) on \(host): \(text)"
    case .ranksDisagree(let key, let rank, let host, let value, let first):
      "rank \(rank) on \(host) has another \(key) than rank 0: \(value.prefix(100)), not "
        + "\(first.prefix(100)); start all ranks with the same value"
    }
  }
}
