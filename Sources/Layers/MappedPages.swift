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
