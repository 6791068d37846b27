import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes of a processor mask: room for 8192 processors.
private let maskBytes = 1024

/// The processors that this process may use, by number: its mask, as the launcher has set it.
package func allowedProcessors() -> [Int] {
  var mask = [UInt8](repeating: 0, count: maskBytes)
  guard csystem_get_processors(&mask, maskBytes) == 0 else { return [] }
  return (0..<maskBytes * 8).filter { mask[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
}

/// Ends the program with a sentence and `status` where this host's processor lacks instructions that the
/// program was built to use. To be called before anything else: all other code may use them.
package func expectProcessor(orEndWith status: Int32) { csystem_expect_processor(status) }

/// The widest vectors, in bits, that this processor multiplies floats with: 512, 256 or 128; 0 where that
/// is not known.
package var vectorBits: Int { Int(csystem_vector_bits()) }

/// Keeps the calling thread to one processor; a refusal is no harm and is passed over.
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
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
