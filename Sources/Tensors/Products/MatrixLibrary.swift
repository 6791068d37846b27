import COpenBLAS
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The matrix library, as the log names it.
package enum MatrixLibrary {
  /// Keeps the library to the calling thread. Call once, before the first product.
  package static func useOneThread() { cblas_shim_use_one_thread() }

  /// Bytes of one of the library's buffers, as Debian builds it; address space, of which little is used.
  private static let bufferBytes = 136 << 20

  /// Lets the library take the buffers that it needs when `callers` threads call it at once. Where the
  /// system refuses one the program ends (`ResourceShortage`); the library would ask again for ever.
  package static func reserveBuffers(callers: Int) {
    guard cblas_shim_has_buffers() != 0 else { return }
    let buffers = (0..<callers).map { _ in
      let probe = mmap(nil, bufferBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let probe, probe != MAP_FAILED else {
        ResourceShortage.endWithoutMemory(bytes: bufferBytes)
      }
      munmap(probe, bufferBytes)
      return cblas_shim_take_buffer()
    }
    for buffer in buffers { cblas_shim_give_buffer(buffer) }
  }

  /// Version, options and the kernels chosen for this processor.
  package static var description: String {
    "\(String(cString: cblas_shim_configuration())) kernels \(coreName)"
  }

  /// The kernels chosen for this processor, by the name of its type.
  package static var coreName: String { String(cString: cblas_shim_core_name()) }
}
