import Tensors

/// Moves segments of a vector between ranks, to the same place in the vector of another rank, and
/// moves their new values back.
///
///     let exchange = SegmentExchange(segments, world: world)
///     try exchange.send(vector)       // this rank's incoming segments have the values of others
///     change(incoming)
///     try exchange.sendBack(vector)   // its outgoing segments have the values of others
///
/// One message goes to each other rank in each direction. All calls are collective.
package final class SegmentExchange: Sendable {
  /// The segments of one rank by the other rank, in the same order on both; none for itself.
  package struct Segments: Sendable {
    /// The segments that this rank sends to each rank.
    package var outgoing: [[Range<Int>]]
    /// The segments that it receives from each rank.
    package var incoming: [[Range<Int>]]

    package init(outgoing: [[Range<Int>]], incoming: [[Range<Int>]]) {
      (self.outgoing, self.incoming) = (outgoing, incoming)
    }

    /// The floats that it sends, and those that it receives; both are buffers.
    package var counts: (outgoing: Int, incoming: Int) {
      (Self.count(outgoing.joined()), Self.count(incoming.joined()))
    }

    fileprivate static func count(_ ranges: some Sequence<Range<Int>>) -> Int {
      ranges.reduce(0) { $0 + $1.count }
    }
  }

  private let segments: Segments
  private let world: Communicator
  private let outgoing: Storage
  private let incoming: Storage

  /// Allocates the buffers; `world` is all ranks, and stays the caller's.
  package init(_ segments: Segments, world: Communicator) {
    self.segments = segments
    self.world = world
    outgoing = Storage(count: segments.counts.outgoing)
    incoming = Storage(count: segments.counts.incoming)
  }

  /// Sends the outgoing segments of `vector`, and receives the incoming ones into it.
  package func send(_ vector: Storage) throws(CollectivesError) {
    try move(
      vector, from: segments.outgoing, in: outgoing, to: segments.incoming, through: incoming)
  }

  /// Sends the incoming segments of `vector` back to where they came from.
  package func sendBack(_ vector: Storage) throws(CollectivesError) {
    try move(
      vector, from: segments.incoming, in: incoming, to: segments.outgoing, through: outgoing)
  }

  private func move(
    _ vector: Storage, from sources: [[Range<Int>]], in message: Storage,
    to targets: [[Range<Int>]], through received: Storage
  ) throws(CollectivesError) {
    if world.size == 1 { return }
    var position = message.base
    for range in sources.joined() {
      position.update(from: vector.base + range.lowerBound, count: range.count)
      position += range.count
    }
    let (sending, receiving) = (try Self.bytes(sources), try Self.bytes(targets))
    try world.exchange(
      send: UnsafeMutableRawPointer(message.base), counts: sending.counts,
      displacements: sending.displacements, receive: UnsafeMutableRawPointer(received.base),
      receiveCounts: receiving.counts, receiveDisplacements: receiving.displacements)
    position = received.base
    for range in targets.joined() {
      (vector.base + range.lowerBound).update(from: position, count: range.count)
      position += range.count
    }
  }

  /// The bytes of each rank's segments in a buffer, and where they begin.
  ///
  /// MPI's counts have 32 bits. A rank sends no more than its parts and receives no more than its
  /// matrices, so on two ranks that is enough for a billion parameters.
  private static func bytes(
    _ segments: [[Range<Int>]]
  ) throws(CollectivesError) -> (counts: [Int32], displacements: [Int32]) {
    let total = 4 * Segments.count(segments.joined())
    guard total <= Int(Int32.max) else {
      throw .callFailed(
        call: "MPI_Alltoallv", text: "\(total) bytes are too many for one call; use more ranks")
    }
    let counts = segments.map { Int32(4 * Segments.count($0)) }
    var end: Int32 = 0
    return (
      counts,
      counts.map { count in
        defer { end += count }
        return end
      }
    )
  }
}
