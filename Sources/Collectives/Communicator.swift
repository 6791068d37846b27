import CMPI
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A group of ranks that talk to each other. One rank alone is a world of size one: the same calls,
/// answered on the spot.
///
///     let world = try Communicator.start()
///     let total = try world.sum([42])
///
/// MPI ends when the program exits, and waits there for all ranks; a rank that must end alone
/// calls `abort`.
/// Every rank must make the same calls in the same order. A communicator is used by one thread at a
/// time; a thread that communicates on its own takes a duplicate, and whoever takes one calls `free`.
package final class Communicator: Sendable {
  private let handle: Int32
  /// Whether it was made by `duplicate` or `onThisHost` and is not freed yet.
  private let isMade: Atomic<Bool>
  /// This rank's number.
  package let rank: Int
  /// The number of ranks.
  package let size: Int

  /// - Parameter isMade: whether somebody has to free it.
  private init(handle: Int32, isMade: Bool) {
    self.handle = handle
    self.isMade = Atomic(isMade)
    if isMade { Self.madeCounter.add(1, ordering: .relaxed) }
    rank = Int(cmpi_rank(handle))
    size = Int(cmpi_size(handle))
  }

  /// A world of one, which never calls MPI.
  private init() {
    handle = 0
    isMade = Atomic(false)
    rank = 0
    size = 1
  }

  /// Returns the world: all ranks that a launcher started, or this one alone where there is none.
  ///
  /// Tuning that users should not have to know is set here, where they have not set it themselves:
  /// pairwise exchange and ring gather (MPI's own choices change with size).
  /// - Parameter isOneEnough: whether one rank that a launcher started does without MPI.
  /// - Throws: `launcherDisagrees` when the launcher of another MPI started this program,
  ///   `launcherIsSilent` when srun was not told which MPI it starts.
  package static func start(
    isOneEnough: Bool = false
  ) throws(CollectivesError) -> Communicator {
    guard let launcher = launcher(), launcher.count > 1 || !isOneEnough else {
      return Communicator()
    }
    if launcher.name == "srun" && launcher.count > 1 && getenv("PMIX_RANK") == nil {
      throw .launcherIsSilent(launcher: launcher.name, count: launcher.count)
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

  /// The launcher that the environment tells of, and how many ranks it started.
  private static func launcher() -> (name: String, count: Int)? {
    for (variable, name) in [
      ("OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"), ("PMI_SIZE", "an MPICH launcher"),
      ("SLURM_STEP_NUM_TASKS", "srun"),
    ] {
      if let text = getenv(variable), let count = Int(String(cString: text)) {
        return (name, count)
      }
    }
    return nil
  }

  /// Name and version of the MPI library.
  package static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: 80)
    cmpi_library_version(&text, 80)
    // The first line, or its part before a comma: "Open MPI v4.1.4, ...", "MPICH Version:\t4.0.2".
    let line = text.prefix { $0 != 0 && $0 != 10 && $0 != 44 }
    return String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).filter { $0 != "Version:" }.joined(separator: " ")
  }

  /// A world of one rank, whatever a launcher started.
  package static func alone() -> Communicator { Communicator() }

  /// The same ranks with a channel of their own; to be freed.
  package func duplicate() throws(CollectivesError) -> Communicator {
    if size == 1 { return Self.alone() }
    var copy: Int32 = 0
    try Self.check("MPI_Comm_dup", cmpi_duplicate(handle, &copy))
    return Communicator(handle: copy, isMade: true)
  }

  /// The ranks on this host; to be freed.
  package func onThisHost() throws(CollectivesError) -> Communicator {
    if size == 1 { return Self.alone() }
    var part: Int32 = 0
    try Self.check("MPI_Comm_split_type", cmpi_split_by_host(handle, &part))
    return Communicator(handle: part, isMade: true)
  }

  /// Ends a communicator that `duplicate` or `onThisHost` made, which must not be used afterwards.
  ///
  /// Every rank of it must call it, in the same order as for others. The world and a rank by itself
  /// have nothing to give back, and a second call does nothing.
  package func free() {
    guard isMade.exchange(false, ordering: .relaxed) else { return }
    Self.madeCounter.subtract(1, ordering: .relaxed)
    // An error here has nothing left to spoil.
    _ = cmpi_free(handle)
  }

  private static let madeCounter = Atomic(0)

  /// The communicators of this process that were made and are not freed yet.
  package static var madeCount: Int { madeCounter.load(ordering: .relaxed) }

  /// Ends all ranks at once with `status`.
  package static func abort(status: Int32) -> Never {
    if cmpi_is_initialized() != 0 { cmpi_abort(status) }
    _exit(status)
  }

  /// Waits for all ranks.
  package func barrier() throws(CollectivesError) {
    if size == 1 { return }
    try Self.check("MPI_Barrier", cmpi_barrier(handle))
  }

  /// Entry by entry, the sum over all ranks. Whole numbers, so the order does not matter.
  package func sum(_ values: [Int]) throws(CollectivesError) -> [Int] {
    if size == 1 { return values }
    var totals = values.map { Int64($0) }
    try Self.check("MPI_Allreduce", cmpi_sum_int64(handle, &totals, Int32(totals.count)))
    return totals.map { Int($0) }
  }

  /// Adds `values` of all ranks on every rank, in whatever order the library likes: the plain way, to
  /// measure ours against.
  package func sumInPlace(
    _ values: UnsafeMutablePointer<Float>, count: Int
  ) throws(CollectivesError) {
    if size == 1 { return }
    try Self.check("MPI_Allreduce", cmpi_sum_floats(handle, values, Int32(count)))
  }

  /// Every rank's bytes, in rank order.
  package func gather(_ bytes: [UInt8]) throws(CollectivesError) -> [[UInt8]] {
    if size == 1 { return [bytes] }
    var counts = [Int](repeating: 0, count: size)
    counts[rank] = bytes.count
    counts = try sum(counts)
    let places = counts.indices.map { counts[..<$0].reduce(0, +) }
    let total = counts.reduce(0, +)
    guard total <= Int(Int32.max) else {
      throw .callFailed(call: "MPI_Allgatherv", text: "\(total) bytes are too many at once")
    }
    var all = [UInt8](repeating: 0, count: total)
    try Self.check(
      "MPI_Allgatherv",
      cmpi_all_gather_bytes(
        handle, bytes, Int32(bytes.count), &all, counts.map { Int32($0) },
        places.map { Int32($0) }))
    return counts.indices.map { Array(all[places[$0]..<places[$0] + counts[$0]]) }
  }

  /// Every rank's numbers, in rank order.
  package func gather<Number: BitwiseCopyable>(
    _ values: [Number]
  ) throws(CollectivesError) -> [[Number]] {
    let bytes = values.withUnsafeBytes { Array($0) }
    return try gather(bytes).map { part in
      part.withUnsafeBytes { raw in
        (0..<raw.count / MemoryLayout<Number>.stride).map {
          raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.stride, as: Number.self)
        }
      }
    }
  }

  /// Rank zero's number. The others sleep until rank zero calls this, and leave it the processors.
  package func await(_ number: Int32) throws(CollectivesError) -> Int32 {
    if size == 1 { return number }
    var result = number
    try Self.check("MPI_Ibcast", cmpi_await_int(handle, &result))
    return result
  }

  /// Rank zero's bytes.
  package func broadcast(_ bytes: [UInt8]) throws(CollectivesError) -> [UInt8] {
    try gather(rank == 0 ? bytes : [])[0]
  }

  /// Gives rank zero's floats to all.
  package func broadcast(
    _ values: UnsafeMutablePointer<Float>, count: Int
  ) throws(CollectivesError) {
    if size == 1 { return }
    let chunk = 1 << 26
    for start in stride(from: 0, to: count, by: chunk) {
      let bytes = 4 * min(chunk, count - start)
      try Self.check(
        "MPI_Bcast", cmpi_broadcast_bytes(handle, values + start, Int32(bytes), 0))
    }
  }

  /// Sends floats to `rank`, or receives them, waiting until they are through.
  package func send(
    _ values: UnsafeMutablePointer<Float>, count: Int, to rank: Int
  ) throws(CollectivesError) {
    try Self.check("MPI_Send", cmpi_send_floats(handle, values, Int32(count), Int32(rank)))
  }

  package func receive(
    _ values: UnsafeMutablePointer<Float>, count: Int, from rank: Int
  ) throws(CollectivesError) {
    try Self.check("MPI_Recv", cmpi_receive_floats(handle, values, Int32(count), Int32(rank)))
  }

  /// Floats to and from every rank; counts and places are in floats.
  func exchange(
    send: UnsafeMutablePointer<Float>, counts: [Int32], places: [Int32],
    receive: UnsafeMutablePointer<Float>, receiveCounts: [Int32], receivePlaces: [Int32]
  ) throws(CollectivesError) {
    try Self.check(
      "MPI_Alltoallv",
      cmpi_exchange_floats(
        handle, send, counts, places, receive, receiveCounts, receivePlaces))
  }

  /// Completes `all` on every rank from the parts that its owners hold there.
  func gatherInPlace(
    _ all: UnsafeMutablePointer<Float>, counts: [Int32], places: [Int32]
  ) throws(CollectivesError) {
    try Self.check(
      "MPI_Allgatherv", cmpi_all_gather_floats_in_place(handle, all, counts, places))
  }

  private static func check(_ call: String, _ status: Int32) throws(CollectivesError) {
    guard status != 0 else { return }
    var text = [CChar](repeating: 0, count: 256)
    cmpi_error_text(status, &text, 256)
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    throw .callFailed(call: call, text: String(decoding: bytes, as: UTF8.self))
  }
}
