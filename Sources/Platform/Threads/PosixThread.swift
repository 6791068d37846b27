import CDispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The system refused to start a thread.
///
/// Foundation's `Thread` would not say so.
package struct ThreadError: Error, Equatable, CustomStringConvertible {
  /// The system's error number.
  let code: Int32

  package var description: String {
    "cannot start a thread: \(systemReason(code)); give fewer --threads, or raise the limits on threads "
      + "and memory (ulimit -u, ulimit -v, ulimit -s)"
  }
}

/// Starts a thread that runs `body`; it must be joined or detached.
///
/// - Parameters:
///   - stackBytes: the size of its stack; nil for the system's default.
///   - body: what the thread runs.
/// - Returns: the thread.
/// - Throws: `ThreadError` when the system refuses it.
package func startThread(
  stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void
) throws(ThreadError) -> pthread_t {
  var thread = pthread_t()
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
  let context = Unmanaged.passRetained(ThreadBody(body))
  let code = pthread_create(
    &thread, &attributes,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, context.toOpaque())
  guard code == 0 else {
    context.release()
    throw ThreadError(code: code)
  }
  return thread
}

/// Starts a thread without which the run would wait for ever; it must be joined or detached.
///
/// Where the system refuses it, the program ends (`ResourceShortage`).
package func startThreadOrEnd(
  stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void
) -> pthread_t {
  do {
    return try startThread(stackBytes: stackBytes, body)
  } catch {
    ResourceShortage.endWithoutThread(error: error.code)
  }
}

/// Starts a thread that nobody waits for.
///
/// Where the system refuses it, the program ends (`ResourceShortage`).
package func startDetachedThreadOrEnd(_ body: @escaping @Sendable () -> Void) {
  pthread_detach(startThreadOrEnd(body))
}

/// What a new thread runs.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
