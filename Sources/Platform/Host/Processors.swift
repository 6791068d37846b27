import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes of a processor mask, for 8192 processors.
private let maskBytes = 1024

/// The numbers of the processors that this process may use: its affinity mask, as the launcher set
/// it.
package func allowedProcessors() -> [Int] {
  var mask = [UInt8](repeating: 0, count: maskBytes)
  guard csystem_get_processors(&mask, maskBytes) == 0 else { return [] }
  return (0..<maskBytes * 8).filter { mask[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
}

/// Ends the program with a message if the processor lacks instructions that the program was built
/// for.
///
/// Call it before anything else, since all other code may use these instructions. `status` is the
/// exit status.
package func expectProcessor(orEndWith status: Int32) { csystem_expect_processor(status) }

/// The width in bits of the widest float vectors that this processor computes at once: 512, 256 or
/// 128; 0 if unknown.
package var vectorBits: Int { Int(csystem_vector_bits()) }

/// Pins the calling thread to one processor; errors are ignored, since pinning only affects speed.
package func pinCurrentThread(to processor: Int) {
  guard (0..<maskBytes * 8).contains(processor) else { return }
  var mask = [UInt8](repeating: 0, count: maskBytes)
  mask[processor / 8] |= 1 << UInt8(processor % 8)
  _ = csystem_set_processors(&mask, maskBytes)
}

/// The name of this host.
package func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, 255)
  return decodeCString(name)
}
