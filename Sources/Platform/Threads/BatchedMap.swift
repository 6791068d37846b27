/// Transforms a stream of inputs on several threads and keeps their order.
///
///     var batches = BatchedMap(threads: 4, weight: { $0.count }, limit: 16 << 20) { try next() }
///     while let outputs = try batches.next({ transform($0) }) { write(outputs) }
///
/// Inputs are read in batches. While the threads transform a batch, the calling thread reads the
/// next one and then joins them, so at most two batches are in memory. An error of reading is
/// thrown only after the inputs before it are transformed: the first error in the order of the
/// inputs is the one that is thrown, whatever the number of threads.
package struct BatchedMap<Input: Sendable> {
  private struct Batch {
    var inputs: [Input] = []
    /// The error that ended the stream after these inputs.
    var error: (any Error)?
  }

  private let threads: Int
  private let weight: (Input) -> Int
  private let limit: Int
  private let read: () throws -> Input?
  /// The batch that was read ahead; nil before the first call.
  private var ahead: Batch?

  /// - Parameters:
  ///   - threads: the number of threads, the calling one included.
  ///   - weight: the size of an input in memory.
  ///   - limit: the size from which on a batch is complete.
  ///   - read: returns the next input, nil at the end.
  package init(
    threads: Int, weight: @escaping (Input) -> Int, limit: Int, read: @escaping () throws -> Input?
  ) {
    (self.threads, self.weight, self.limit, self.read) = (threads, weight, limit, read)
  }

  /// Whether it is known that no input is left.
  package var isAtEnd: Bool { ahead.map { $0.inputs.isEmpty && $0.error == nil } ?? false }

  /// The outputs of the next batch in the order of its inputs; nil at the end of the stream.
  ///
  /// Throws the first error of reading or of `transform`; then the stream has ended.
  package mutating func next<Output: Sendable>(
    _ transform: @escaping @Sendable (Input) throws -> Output
  ) throws -> [Output]? {
    let batch = ahead ?? readBatch()
    guard !batch.inputs.isEmpty else {
      ahead = Batch()
      if let error = batch.error { throw error }
      return nil
    }
    var following = Batch(error: batch.error)
    ahead = Batch()
    let outputs = try mapOnThreads(
      batch.inputs, threads: threads,
      meanwhile: { if batch.error == nil { following = readBatch() } }, transform)
    ahead = following
    return outputs
  }

  private func readBatch() -> Batch {
    var (batch, size) = (Batch(), 0)
    do {
      while batch.inputs.count < 8 * threads, size < limit, let input = try read() {
        size += weight(input)
        batch.inputs.append(input)
      }
    } catch {
      batch.error = error
    }
    return batch
  }
}
