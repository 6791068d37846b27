#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Releases the whole pages that lie inside `bytes` of a mapped file (`MADV_DONTNEED`).
///
/// The bytes stay readable: the next access reads the page again from the page cache or the file.
/// Without this call, the resident memory of a run grows to the size of the files that it has read.
package func releasePages(_ bytes: UnsafeRawBufferPointer) {
  guard let base = bytes.baseAddress else { return }
  let page = UInt(getpagesize())
  let start = (UInt(bitPattern: base) + page - 1) / page * page
  let end = (UInt(bitPattern: base) + UInt(bytes.count)) / page * page
  guard start < end, let memory = UnsafeMutableRawPointer(bitPattern: start) else { return }
  madvise(memory, Int(end - start), MADV_DONTNEED)
}

/// Announces random access to a mapped file (`MADV_RANDOM`).
///
/// It switches off read-ahead, which may read megabytes around each access.
package func adviseRandomAccess(_ file: UnsafeRawBufferPointer) { advise(file, MADV_RANDOM) }

/// Starts reading all of `bytes` in the background (`MADV_WILLNEED`), instead of one page per
/// access.
package func prefetchPages(_ bytes: UnsafeRawBufferPointer) { advise(bytes, MADV_WILLNEED) }

/// Advises the system on all pages that `bytes` overlaps; errors are ignored, since it is only
/// advice.
private func advise(_ bytes: UnsafeRawBufferPointer, _ advice: CInt) {
  guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
  let start = UInt(bitPattern: base) / UInt(getpagesize()) * UInt(getpagesize())
  guard let memory = UnsafeMutableRawPointer(bitPattern: start) else { return }
  madvise(memory, Int(UInt(bitPattern: base) - start) + bytes.count, advice)
}
