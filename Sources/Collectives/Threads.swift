import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Starts a thread that runs `body`. Where the system refuses it, the program ends
/// (`ResourceShortage`): a run without one of its threads would wait for it for ever.
///
/// - Parameter stackBytes: of its stack; nil for the system's usual size.
@discardableResult
package func startThread(
  stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void
) -> pthread_t {
  var thread = pthread_t()
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
  let context = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
  let status = pthread_create(
    &thread, &attributes,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, context)
  if status != 0 { ResourceShortage.endWithoutThread(error: status) }
  return thread
}

/// What a new thread runs.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
