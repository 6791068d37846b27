import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Float memory with one owner: a contiguous run of `count` floats, zero at first, on huge pages
/// where the system has them.
///
/// Everything large is a `Storage`: the weights, a gradient, a moment, a worker's activations. A
/// `Tensor` is a window onto one and does not keep it alive.
///
/// Invariants: `base` is aligned to 64 bytes and stays where it is for the life of the object.
package final class Storage: @unchecked Sendable {
  // Unchecked: the pointer never changes. That two threads never write the same floats at once is
  // the promise of those who share a storage: workers write their own parts between barriers.

  /// The first float.
  package let base: UnsafeMutablePointer<Float>
  /// The number of floats.
  package let count: Int

  /// Memory for `count` floats, all zero. The system hands out pages as they are touched; where it
  /// refuses them at once, the program ends (`ResourceShortage`).
  package init(count: Int) {
    precondition(count >= 0, "a storage of \(count) floats")
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      ResourceShortage.endWithoutMemory(bytes: bytes)
    }
    if bytes >= 1 << 21 { madvise(memory, bytes, MADV_HUGEPAGE) }
    base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  deinit { munmap(base, max(count, 1) * MemoryLayout<Float>.stride) }

  /// The floats of `range`, as one row.
  package subscript(range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "\(range) is outside 0..<\(count)")
    return Tensor(base: base + range.lowerBound, rows: 1, columns: range.count)
  }

  /// Sets the floats of `range` to zero.
  package func clear(_ range: Range<Int>) {
    let start = Profile.begin()
    defer { Profile.end(.merging, start) }
    self[range].fill(0)
  }
}
