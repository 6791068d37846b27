#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An object for each thread, made at the thread's first use and released when the thread ends.
final class ThreadLocal<Value: AnyObject>: Sendable {
  private let key: pthread_key_t
  private let make: @Sendable () -> Value

  init(_ make: @escaping @Sendable () -> Value) {
    self.make = make
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { memory in
      if let memory { Unmanaged<AnyObject>.fromOpaque(memory).release() }
    }
    precondition(status == 0, "no key for thread-specific data is left")
    self.key = key
  }

  /// The object of the calling thread.
  var value: Value {
    if let memory = pthread_getspecific(key) {
      return Unmanaged<Value>.fromOpaque(memory).takeUnretainedValue()
    }
    let value = make()
    pthread_setspecific(key, Unmanaged.passRetained(value).toOpaque())
    return value
  }
}
