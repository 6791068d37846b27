import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An owned, contiguous array of `count` floats, initially zero.
///
/// Everything large is a `Storage`: the weights, a gradient, a moment, the activations of a worker.
/// A `Tensor` is a view of one and does not keep it alive. Large arrays use huge pages if
/// available.
///
/// Invariants: `base` is aligned to 64 bytes and does not change during the life of the object.
package final class Storage: @unchecked Sendable {  // constant pointer; writers use disjoint ranges
  // Unchecked: the pointer never changes. Threads that share a storage must not write the same
  // floats at the same time; workers write disjoint ranges between barriers.

  /// The first float.
  package let base: UnsafeMutablePointer<Float>
  /// The number of floats.
  package let count: Int

  /// Allocates `count` floats, all zero.
  ///
  /// The system provides pages at their first access. If it refuses the address space, the program
  /// ends (`ResourceShortage`).
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
