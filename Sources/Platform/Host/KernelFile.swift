#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The text of a file in /proc or /sys; nil if it cannot be read.
///
/// Such files report a size of zero, so the file is read until its end.
package func kernelFile(_ path: String) -> String? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 14)
  while true {
    let count = readBytes(buffer.count, from: file, into: &buffer)
    guard count > 0 else { return count == 0 ? String(decoding: text, as: UTF8.self) : nil }
    text += buffer[..<count]
  }
}
