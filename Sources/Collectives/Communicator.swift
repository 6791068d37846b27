import CMPI
import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A group of ranks that communicate through MPI.
///
/// A single rank is a world of size one: the same calls return at once, without MPI.
///
///     let world = try Communicator.start()
///     let total = try world.sum([42])
///
/// All methods except those of `Communicator+Messages` are collective: every rank must make the
/// same calls in the same order. One thread at a time may use a communicator; another thread needs
/// a duplicate. The owner of a duplicate calls `free`.
///
/// MPI is finalized when the program exits, which waits for all ranks. A rank that must end without
/// the others calls `abort`.
package final class Communicator: Sendable {
  let handle: Int32
  /// Whether it comes from `duplicate`, `onThisHost` or `split` and is not freed yet.
  private let isMade: Atomic<Bool>
  /// This rank's number.
  package let rank: Int
  /// The number of ranks.
  package let size: Int

  /// Wraps an MPI communicator; `isMade` means that it must be freed.
  init(handle: Int32, isMade: Bool) {
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

  /// A world of one rank, whatever a launcher started.
  package static func alone() -> Communicator { Communicator() }

  /// A communicator of the same ranks with separate messages, for another thread; the caller frees
  /// it.
  package func duplicate() throws(CollectivesError) -> Communicator {
    if size == 1 { return Self.alone() }
    var copy: Int32 = 0
    try Self.check("MPI_Comm_dup", cmpi_duplicate(handle, &copy))
    return Communicator(handle: copy, isMade: true)
  }

  /// A communicator of the ranks on this host; the caller frees it.
  package func onThisHost() throws(CollectivesError) -> Communicator {
    if size == 1 { return Self.alone() }
    var part: Int32 = 0
    try Self.check("MPI_Comm_split_type", cmpi_split_by_host(handle, &part))
    return Communicator(handle: part, isMade: true)
  }

  /// A communicator of the ranks with the same `color`, in the order of their numbers; the caller
  /// frees it.
  func split(color: Int) throws(CollectivesError) -> Communicator {
    if size == 1 { return Self.alone() }
    var part: Int32 = 0
    try Self.check("MPI_Comm_split", cmpi_split(handle, Int32(color), &part))
    return Communicator(handle: part, isMade: true)
  }

  /// Frees a communicator from `duplicate`, `onThisHost` or `split`, which must not be used
  /// afterwards.
  ///
  /// All its ranks must call it, in the same order if there are several. For the world, a single
  /// rank and a freed communicator it does nothing.
  package func free() {
    guard isMade.exchange(false, ordering: .relaxed) else { return }
    Self.madeCounter.subtract(1, ordering: .relaxed)
    // An error is harmless here, because the communicator is not used again.
    _ = cmpi_free(handle)
  }

  private static let madeCounter = Atomic(0)

  /// The number of communicators of this process that are not freed yet, for tests.
  package static var madeCount: Int { madeCounter.load(ordering: .relaxed) }

  /// Ends all ranks at once with the exit status `status`; not collective.
  package static func abort(status: Int32) -> Never {
    if cmpi_is_initialized() != 0 { cmpi_abort(status) }
    _exit(status)
  }

  /// Waits for all ranks.
  package func barrier() throws(CollectivesError) {
    if size == 1 { return }
    try Self.check("MPI_Barrier", cmpi_barrier(handle))
  }

  /// The element-wise sum over all ranks; integers, so the order of additions does not matter.
  package func sum(_ values: [Int]) throws(CollectivesError) -> [Int] {
    if size == 1 { return values }
    var totals = values.map { Int64($0) }
    try Self.check("MPI_Allreduce", cmpi_sum_int64(handle, &totals, Int32(totals.count)))
    return totals.map { Int($0) }
  }

  /// Replaces `values` by their sum over all ranks with `MPI_Allreduce`, for benchmarks.
  ///
  /// The library chooses the order of additions, so the bits depend on the number of ranks.
  /// Training uses `Exchange` instead.
  package func sumInPlace(
    _ values: UnsafeMutablePointer<Float>, count: Int
  ) throws(CollectivesError) {
    if size == 1 { return }
    try Self.check("MPI_Allreduce", cmpi_sum_floats(handle, values, Int32(count)))
  }

  /// The bytes of all ranks, in rank order; counts may differ, the total must be below 2 GiB.
  package func gather(_ bytes: [UInt8]) throws(CollectivesError) -> [[UInt8]] {
    if size == 1 { return [bytes] }
    var counts = [Int](repeating: 0, count: size)
    counts[rank] = bytes.count
    counts = try sum(counts)
    let displacements = counts.indices.map { counts[..<$0].reduce(0, +) }
    let total = counts.reduce(0, +)
    guard total <= Int(Int32.max) else {
      throw .callFailed(call: "MPI_Allgatherv", text: "\(total) bytes are too many for one call")
    }
    var all = [UInt8](repeating: 0, count: total)
    try Self.check(
      "MPI_Allgatherv",
      cmpi_all_gather_bytes(
        handle, bytes, Int32(bytes.count), &all, counts.map { Int32($0) },
        displacements.map { Int32($0) }))
    return zip(displacements, counts).map { Array(all[$0..<$0 + $1]) }
  }

  /// Returns rank zero's number on all ranks; the others sleep until rank zero calls this.
  ///
  /// Unlike other calls, waiting does not use processor time, which rank zero may need.
  package func await(_ number: Int32) throws(CollectivesError) -> Int32 {
    if size == 1 { return number }
    var result = number
    try Self.check("MPI_Ibcast", cmpi_await_int(handle, &result))
    return result
  }

  /// Copies rank zero's floats to `values` on all ranks.
  package func broadcast(
    _ values: UnsafeMutablePointer<Float>, count: Int
  ) throws(CollectivesError) {
    if size == 1 { return }
    let chunk = 1 << 26
    for start in stride(from: 0, to: count, by: chunk) {
      let bytes = 4 * min(chunk, count - start)
      try Self.check("MPI_Bcast", cmpi_broadcast_bytes(handle, values + start, Int32(bytes)))
    }
  }

  /// Sends bytes to and receives bytes from every rank (`MPI_Alltoallv`).
  ///
  /// Counts and displacements have one entry per rank. The ranges that are sent and received must
  /// not overlap.
  func exchange(
    send: UnsafeMutableRawPointer, counts: [Int32], displacements: [Int32],
    receive: UnsafeMutableRawPointer, receiveCounts: [Int32],
    receiveDisplacements: [Int32]
  ) throws(CollectivesError) {
    try Self.check(
      "MPI_Alltoallv",
      cmpi_exchange_bytes(
        handle, send, counts, displacements, receive, receiveCounts, receiveDisplacements))
  }

  /// Copies the range of each rank in its `all` to the same place in `all` of every rank.
  ///
  /// `ranges` has the bytes of each rank.
  func gatherInPlace(
    _ all: UnsafeMutableRawPointer, ranges: [Range<Int>]
  ) throws(CollectivesError) {
    if size == 1 { return }
    try Self.check(
      "MPI_Allgatherv",
      cmpi_all_gather_bytes_in_place(
        handle, all, ranges.map { Int32($0.count) }, ranges.map { Int32($0.lowerBound) }))
  }

  /// Throws `callFailed` with MPI's error text unless `status` is zero.
  static func check(_ call: String, _ status: Int32) throws(CollectivesError) {
    guard status != 0 else { return }
    var text = [CChar](repeating: 0, count: 256)
    cmpi_error_text(status, &text, 256)
    throw .callFailed(call: call, text: decodeCString(text))
  }
}
