import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs `work` on `count` threads at once, one of them the caller's, and waits for all.
///
/// The calling thread runs `meanwhile` before its share of the work. New threads are used because a
/// thread pool may run everything on one thread. If a thread cannot be started, the function waits
/// for those that run and throws.
package func performOnThreads(
  _ count: Int, meanwhile: () -> Void = {}, _ work: @escaping @Sendable () -> Void
) throws(ThreadError) {
  var threads: [pthread_t] = []
  defer { for thread in threads { pthread_join(thread, nil) } }
  for _ in 1..<max(1, count) { threads.append(try startThread(work)) }
  meanwhile()
  work()
}

/// Maps `inputs` with `transform` on several threads and returns the results in order.
///
/// The calling thread is one of the threads; it first runs `meanwhile`. Throws the first error in
/// the order of the inputs, or `ThreadError`.
package func mapOnThreads<Input: Sendable, Output: Sendable>(
  _ inputs: [Input], threads: Int, meanwhile: () -> Void = {},
  _ transform: @escaping @Sendable (Input) throws -> Output
) throws -> [Output] {
  let work = SharedWork<Output>(count: inputs.count)
  try performOnThreads(threads, meanwhile: meanwhile) {
    while let index = work.take() {
      work.put(Result { try transform(inputs[index]) }, at: index)
    }
  }
  return try work.outputs()
}

/// The indices of inputs that threads still have to process, and the results.
private final class SharedWork<Output: Sendable>: Sendable {
  private let next = Atomic(0)
  private let results: Mutex<[Result<Output, any Error>?]>
  private let count: Int

  init(count: Int) {
    self.count = count
    results = Mutex(Array(repeating: nil, count: count))
  }

  /// The index of the next input; nil if all are taken.
  func take() -> Int? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < count ? index : nil
  }

  func put(_ result: Result<Output, any Error>, at index: Int) {
    results.withLock { $0[index] = result }
  }

  func outputs() throws -> [Output] {
    try results.withLock { try $0.compactMap { try $0?.get() } }
  }
}
