import CMPI

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
  guard cmpi_get_processors(&mask, maskBytes) == 0 else { return [] }
  return (0..<maskBytes * 8).filter { mask[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
}

/// Ends the program with a sentence and `status` where this host's processor lacks instructions that the
/// program was built to use. To be called before anything else: all other code may use them.
package func expectProcessor(orEndWith status: Int32) { cmpi_expect_processor(status) }

/// Keeps the calling thread to one processor; a refusal is no harm and is passed over.
package func pinCurrentThread(to processor: Int) {
  guard (0..<maskBytes * 8).contains(processor) else { return }
  var mask = [UInt8](repeating: 0, count: maskBytes)
  mask[processor / 8] |= 1 << UInt8(processor % 8)
  _ = cmpi_set_processors(&mask, maskBytes)
}

/// The processors' worth of time that the container grants, from its control group; nil for no
/// limit.
package func processorQuota() -> Int? {
  if let text = contents("/sys/fs/cgroup/cpu.max") {
    let parts = text.split(whereSeparator: \.isWhitespace)
    if parts.count == 2, let quota = Int(parts[0]), let period = Int(parts[1]), period > 0 {
      return max(1, quota / period)
    }
  }
  if let quota = contents("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").flatMap({ firstNumber($0) }),
    let period = contents("/sys/fs/cgroup/cpu/cpu.cfs_period_us").flatMap({ firstNumber($0) }),
    quota > 0, period > 0
  {
    return max(1, quota / period)
  }
  return nil
}

private func firstNumber(_ text: String) -> Int? {
  text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
}

/// A short file of the kernel's, as text.
private func contents(_ path: String) -> String? {
  let file = open(path, O_RDONLY)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var buffer = [UInt8](repeating: 0, count: 256)
  let count = read(file, &buffer, buffer.count)
  return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
}

/// The name of this host.
package func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, 255)
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
