import Tensors

/// Memory for a worker's activations, taken from the front and given back all at once.
///
/// A micro-batch takes exactly what its tokens need; the next one begins at the front again, so
/// nothing is allocated while training. How much an arena must hold is found by running the same
/// code on an arena that only measures.
///
///     let arena = Arena(capacity: Arena.measure { Activations(shape, arena: $0) })
///     let activations = Activations(shape, arena: arena)
///     arena.release(to: 0)
package final class Arena {
  private let storage: Storage?  // nil when only measuring
  /// The floats taken now.
  package private(set) var used = 0
  private var highest = 0

  /// An arena of `capacity` floats.
  package init(capacity: Int) { storage = Storage(count: capacity) }

  private init() { storage = nil }

  /// The most floats that `body` holds at one time. Its tensors must not be read or written.
  package static func measure(_ body: (Arena) -> Void) -> Int {
    let arena = Arena()
    body(arena)
    return arena.highest
  }

  /// The next `rows` x `columns` floats, on a 64-byte boundary; whatever they held before.
  package func tensor(_ rows: Int, _ columns: Int) -> Tensor {
    let start = used
    used += (rows * columns + 15) / 16 * 16
    highest = max(highest, used)
    guard let storage else {
      return Tensor(base: Self.nowhere, rows: rows, columns: columns)
    }
    precondition(used <= storage.count, "an arena of \(storage.count) floats needs \(used)")
    return Tensor(base: storage.base + start, rows: rows, columns: columns)
  }

  /// Gives back everything taken since `used` was `mark`.
  package func release(to mark: Int) { used = mark }

  private static var nowhere: UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped
  }
}

/// The sizes of a micro-batch that decide how much memory it takes.
package struct BatchShape: Sendable, Equatable {
  /// N
  package let tokens: Int
  /// B
  package let sequences: Int
  /// T, the longest sequence.
  package let longest: Int
  /// The sum of the squares of the lengths: the entries of one head's attention.
  package let squares: Int
  /// Whether a backward pass computes what is inside encoder layers anew, instead of keeping it.
  package var recomputes = false

  /// The shape of sequences at these places.
  package init(_ ranges: [Range<Int>]) {
    tokens = ranges.last?.upperBound ?? 0
    sequences = ranges.count
    longest = ranges.map(\.count).max() ?? 0
    squares = ranges.reduce(0) { $0 + $1.count * $1.count }
  }

  /// A bound of what sequences of at most `longest` tokens can take, `tokens` in all.
  package init(tokens: Int, longest: Int) {
    self.tokens = max(tokens, longest)
    sequences = self.tokens
    self.longest = longest
    squares = self.tokens * longest
  }
}
