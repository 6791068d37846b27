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

// OpenBLAS chooses its kernels by the processor's model when it is loaded. A version that is older than
// the processor may not know it and takes its slowest kernels: Debian 12's 0.3.21 calls Emerald Rapids
// a Prescott (2004), and `tiny` then trains at a fifth of its speed. The variable OPENBLAS_CORETYPE names
// better ones, but is read at loading alone, so the program starts itself again with it.
extension MatrixLibrary {
  /// Kernels that use vectors of less than 256 bits, by the names that OpenBLAS gives them.
  private static let narrowKernels: Set<String> = [
    "Prescott", "Northwood", "Banias", "Katmai", "Coppermine", "Core2", "Penryn", "Dunnington",
    "Nehalem", "Atom", "Nano", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat",
  ]

  /// The kernels that should be asked for instead of `core`; nil where it is right, or where somebody
  /// chose it.
  ///
  /// - Parameters:
  ///   - vectorBits: the widest vectors of the processor.
  ///   - chosen: the value of OPENBLAS_CORETYPE.
  package static func betterKernels(
    than core: String, vectorBits: Int, chosen: String?
  ) -> String? {
    guard chosen == nil, narrowKernels.contains(core), vectorBits >= 256 else { return nil }
    return vectorBits >= 512 ? "SkylakeX" : "Haswell"
  }

  /// Starts this program again, as the same process, where OpenBLAS has taken kernels that are far below
  /// the processor. To be called before anything else; returns where nothing is to be done.
  package static func restartWithBetterKernels() {
    let name = "OPENBLAS_CORETYPE"
    let chosen = getenv(name).map { String(cString: $0) }
    guard let kernels = betterKernels(than: coreName, vectorBits: vectorBits, chosen: chosen)
    else { return }
    setenv(name, kernels, 1)
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    // Where it fails the program goes on with the kernels that it has.
    execv("/proc/self/exe", arguments)
  }
}
