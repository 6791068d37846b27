import COpenBLAS
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Configuration of OpenBLAS.
package enum MatrixLibrary {
  /// Makes the library single-threaded; call it once, before the first product.
  package static func useOneThread() { copenblas_use_one_thread() }

  /// The size of one of the library's buffers in Debian's build; mostly untouched address space.
  private static let bufferBytes = 136 << 20

  /// Allocates the buffers that the library needs when `callers` threads call it at once.
  ///
  /// If the system refuses one, the program ends (`ResourceShortage`). The library itself would
  /// retry forever, so a mapping of the same size is tried first.
  package static func reserveBuffers(callers: Int) {
    guard copenblas_has_buffers() != 0 else { return }
    let buffers = (0..<callers).map { _ in
      let probe = mmap(nil, bufferBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let probe, probe != MAP_FAILED else {
        ResourceShortage.endWithoutMemory(bytes: bufferBytes)
      }
      munmap(probe, bufferBytes)
      return copenblas_take_buffer()
    }
    for buffer in buffers { copenblas_give_buffer(buffer) }
  }

  /// Version, build options and the kernels chosen for this processor, for the log.
  package static var description: String {
    "\(String(cString: copenblas_configuration())) kernels \(coreName)"
  }

  /// Version and kernels for people: "OpenBLAS 0.3.21, Zen kernels".
  package static var summary: String {
    let words = String(cString: copenblas_configuration()).split(separator: " ")
    return words.prefix(2).joined(separator: " ") + ", \(coreName) kernels"
  }

  /// The name of the kernels chosen for this processor, such as "Zen".
  package static var coreName: String { String(cString: copenblas_core_name()) }
}

// OpenBLAS chooses its kernels by the processor model when it is loaded. A version that is older
// than the processor may not know the model and then uses its slowest kernels: Debian 12's 0.3.21
// takes Emerald Rapids for a Prescott (2004), which makes training of `tiny` five times slower. It
// may also choose vectors that the processor computes in halves: on a Zen 4 its kernels for Cooper
// Lake make a step of `small` 6 % slower than those for Zen with `TiledProduct`. OPENBLAS_CORETYPE
// selects other kernels but is read only when the library is loaded, so the program sets it and
// restarts itself.
extension MatrixLibrary {
  /// OpenBLAS's names of kernels with vectors of less than 256 bits.
  private static let narrowKernels: Set<String> = [
    "Prescott", "Northwood", "Banias", "Katmai", "Coppermine", "Core2", "Penryn", "Dunnington",
    "Nehalem", "Atom", "Nano", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat",
  ]

  /// OpenBLAS's names of kernels with vectors of 512 bits.
  private static let wideKernels: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids"]

  /// The kernels to select instead of `core`; nil if `core` suits the processor or the user chose
  /// it.
  ///
  /// `vectorBits` is the width that the processor computes at once; `chosen` is the value of
  /// OPENBLAS_CORETYPE.
  package static func betterKernels(
    than core: String, vectorBits: Int, chosen: String?
  ) -> String? {
    guard chosen == nil else { return nil }
    if wideKernels.contains(core), vectorBits == 256 { return "Zen" }
    guard narrowKernels.contains(core), vectorBits >= 256 else { return nil }
    return vectorBits >= 512 ? "SkylakeX" : "Haswell"
  }

  /// Restarts the program in the same process if OpenBLAS should use other kernels, see
  /// `betterKernels`.
  ///
  /// Call it before anything else. It returns if the kernels are suitable or the restart fails.
  package static func restartWithBetterKernels() {
    let name = "OPENBLAS_CORETYPE"
    let chosen = getenv(name).map { String(cString: $0) }
    guard let kernels = betterKernels(than: coreName, vectorBits: vectorBits, chosen: chosen)
    else { return }
    setenv(name, kernels, 1)
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    // By its path, because the system names a process after the path with which it was started.
    // The link is for a file that was replaced since. If both fail, the program continues with
    // OpenBLAS's choice.
    let link = "/proc/self/exe"
    if let path = realpath(link, nil) { execv(path, arguments) }
    execv(link, arguments)
  }
}
