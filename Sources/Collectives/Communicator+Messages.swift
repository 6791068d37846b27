import CMPI

// Messages from one rank to another. They are not collective: the two ranks make matching calls in
// the same order.
extension Communicator {
  /// The most bytes of one call of MPI, whose counts have 32 bits.
  private static let largestMessage = 1 << 30

  /// Sends floats to `rank`, which must call `receive`; blocks until `values` can be used again.
  package func send(
    _ values: UnsafeMutablePointer<Float>, count: Int, to rank: Int
  ) throws(CollectivesError) {
    try send(UnsafeRawPointer(values), bytes: 4 * count, to: rank)
  }

  /// Receives floats from `rank`; blocks until they have arrived.
  package func receive(
    _ values: UnsafeMutablePointer<Float>, count: Int, from rank: Int
  ) throws(CollectivesError) {
    try receive(UnsafeMutableRawPointer(values), bytes: 4 * count, from: rank)
  }

  /// Sends bytes to `rank`, which must call `receive(from:)`; blocks until they are sent.
  package func send(_ bytes: [UInt8], to rank: Int) throws(CollectivesError) {
    try send([UInt64(bytes.count)], bytes: 8, to: rank)
    try send(bytes, bytes: bytes.count, to: rank)
  }

  /// Receives bytes that `rank` sends with `send(_:to:)`; blocks until they have arrived.
  package func receive(from rank: Int) throws(CollectivesError) -> [UInt8] {
    var count: UInt64 = 0
    try receive(&count, bytes: 8, from: rank)
    var bytes = [UInt8](repeating: 0, count: Int(count))
    try receive(&bytes, bytes: bytes.count, from: rank)
    return bytes
  }

  /// Sends `bytes` bytes of memory; 0 sends nothing.
  private func send(
    _ memory: UnsafeRawPointer, bytes: Int, to rank: Int
  ) throws(CollectivesError) {
    for start in stride(from: 0, to: bytes, by: Self.largestMessage) {
      let count = Int32(min(Self.largestMessage, bytes - start))
      try Self.check("MPI_Send", cmpi_send_bytes(handle, memory + start, count, Int32(rank)))
    }
  }

  /// Receives `bytes` bytes into memory; 0 receives nothing.
  private func receive(
    _ memory: UnsafeMutableRawPointer, bytes: Int, from rank: Int
  ) throws(CollectivesError) {
    for start in stride(from: 0, to: bytes, by: Self.largestMessage) {
      let count = Int32(min(Self.largestMessage, bytes - start))
      try Self.check("MPI_Recv", cmpi_receive_bytes(handle, memory + start, count, Int32(rank)))
    }
  }
}
