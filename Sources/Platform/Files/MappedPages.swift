#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Gives the memory under `bytes` of a mapped file back to the system, as far as it is whole pages.
///
/// What is read again comes from the system's cache or the file. Without it a run that goes through a
/// large file comes to hold all of it.
package func giveBackPages(_ bytes: UnsafeRawBufferPointer) {
  guard let base = bytes.baseAddress else { return }
  let page = UInt(getpagesize())
  let start = (UInt(bitPattern: base) + page - 1) / page * page
  let end = (UInt(bitPattern: base) + UInt(bytes.count)) / page * page
  guard start < end, let memory = UnsafeMutableRawPointer(bitPattern: start) else { return }
  madvise(memory, Int(end - start), MADV_DONTNEED)
}

/// Says of a mapped file that it will be read here and there, so that the system reads nothing around
/// what is asked for: by itself it may read megabytes.
package func expectScatteredReads(_ file: UnsafeRawBufferPointer) { advise(file, MADV_RANDOM) }

/// Begins to read `bytes` of such a file as a whole, not page by page.
package func beginReading(_ bytes: UnsafeRawBufferPointer) { advise(bytes, MADV_WILLNEED) }

/// Advice on all pages that `bytes` touches. It is only advice: a refusal is passed over.
private func advise(_ bytes: UnsafeRawBufferPointer, _ advice: CInt) {
  guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
  let start = UInt(bitPattern: base) / UInt(getpagesize()) * UInt(getpagesize())
  guard let memory = UnsafeMutableRawPointer(bitPattern: start) else { return }
  madvise(memory, Int(UInt(bitPattern: base) - start) + bytes.count, advice)
}
