import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs `work` on `count` threads at once, one of them the caller's, which first does what is to be
/// done `meanwhile`, and waits for all.
///
/// Threads of their own, and not a pool's: a pool may run everything on one. When one of them cannot
/// be started, those that run are waited for and the error is thrown.
package func performOnThreads(
  _ count: Int, meanwhile: () -> Void = {}, _ work: @escaping @Sendable () -> Void
) throws(ThreadError) {
  var threads: [pthread_t] = []
  defer { for thread in threads { pthread_join(thread, nil) } }
  for _ in 1..<max(1, count) { threads.append(try startThread(work)) }
  meanwhile()
  work()
}

/// What `transform` makes of each of `inputs`, in order, on `threads` threads; this one first does
/// what is to be done `meanwhile`.
///
/// Throws the first error in the order of the inputs, or
/// `ThreadError`.
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

/// Inputs that threads share, by number, and what became of them.
private final class SharedWork<Output: Sendable>: Sendable {
  private let next = Atomic(0)
  private let results: Mutex<[Result<Output, any Error>?]>
  private let count: Int

  init(count: Int) {
    self.count = count
    results = Mutex(Array(repeating: nil, count: count))
  }

  /// The number of an input that nobody has taken yet; nil when there is none.
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
