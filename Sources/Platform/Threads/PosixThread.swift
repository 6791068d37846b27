import CDispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The error of a thread that the system refused to start.
///
/// Foundation's `Thread` does not report it, hence pthread.
package struct ThreadError: Error, Equatable, CustomStringConvertible {
  /// The system's error number.
  let code: Int32

  package var description: String {
    "cannot start a thread: \(systemReason(code)); use fewer --threads, or raise the limits on threads "
      + "and memory (ulimit -u, ulimit -v, ulimit -s)"
  }
}

/// Starts a thread that runs `body`; the caller must join or detach it.
///
/// `stackBytes` nil means the system's default. Throws `ThreadError` if the system refuses the
/// thread.
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

/// Starts a thread that the run cannot do without; the caller must join or detach it.
///
/// If the system refuses the thread, the program ends (`ResourceShortage`).
func startThreadOrEnd(
  stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void
) -> pthread_t {
  do {
    return try startThread(stackBytes: stackBytes, body)
  } catch {
    ResourceShortage.endWithoutThread(error: error.code)
  }
}

/// Starts a detached thread.
///
/// If the system refuses the thread, the program ends (`ResourceShortage`).
package func startDetachedThreadOrEnd(_ body: @escaping @Sendable () -> Void) {
  pthread_detach(startThreadOrEnd(body))
}

/// The closure of a new thread, as an object that can pass through a C pointer.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
