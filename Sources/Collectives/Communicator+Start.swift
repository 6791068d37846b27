import CMPI
import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Communicator {
  /// Returns the world: all ranks that a launcher started, or this rank alone without a launcher.
  ///
  /// It sets tuning parameters of Open MPI unless the user has set them: pairwise exchange and ring
  /// gather, since the library's choices vary with message size and number of ranks, and no
  /// single-copy transfers in shared memory, for which containers often lack the permission. With
  /// `isOneEnough`, a single rank of a launcher does not use MPI.
  ///
  /// Throws `launcherDisagrees` if the launcher belongs to another MPI library,
  /// `launcherWithoutPMI` if srun has no `--mpi` option, and `threadsNotAllowed`.
  package static func start(
    isOneEnough: Bool = false
  ) throws(CollectivesError) -> Communicator {
    guard let launcher = HostResources.launcher, launcher.count > 1 || !isOneEnough else {
      return alone()
    }
    if launcher.name == "srun" && launcher.count > 1 && getenv("PMIX_RANK") == nil {
      throw .launcherWithoutPMI(launcher: launcher.name, count: launcher.count)
    }
    try starting.withLock { _ throws(CollectivesError) in try initialize() }
    let world = Communicator(handle: cmpi_world(), isMade: false)
    if world.size == 1 && launcher.count > 1 {
      throw .launcherDisagrees(
        launcher: launcher.name, expected: launcher.count, library: libraryVersion)
    }
    return world
  }

  private static let starting = Mutex(())

  private static func initialize() throws(CollectivesError) {
    if cmpi_is_initialized() == 0 {
      for (name, value) in [
        ("OMPI_MCA_coll_tuned_use_dynamic_rules", "1"),
        ("OMPI_MCA_coll_tuned_alltoallv_algorithm", "2"),
        ("OMPI_MCA_coll_tuned_allgatherv_algorithm", "3"),
        ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
      ] { setenv(name, value, 0) }
      var allowed: Int32 = 0
      try check("MPI_Init_thread", cmpi_initialize(&allowed))
      guard allowed != 0 else { throw .threadsNotAllowed(library: libraryVersion) }
      atexit { _ = cmpi_finalize() }
    }
  }

  /// Name and version of the MPI library.
  package static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: 80)
    cmpi_library_version(&text, 80)
    // The first line, or its part before a comma: "Open MPI v4.1.4, ...", "MPICH Version:\t4.0.2".
    return decodeCString(text).prefix { !$0.isNewline && $0 != "," }
      .split(whereSeparator: \.isWhitespace).filter { $0 != "Version:" }.joined(separator: " ")
  }
}
