import Tensors

/// A stack of memory for one worker's activations.
///
/// Tensors are taken from the front and released in bulk. The next micro-batch begins at the front
/// again, so training allocates nothing after the start. To find the capacity, run the same code on
/// an arena that only measures.
///
///     let arena = Arena(capacity: Arena.measure { Activations(shape, arena: $0) })
///     let activations = Activations(shape, arena: arena)
///     arena.release(to: 0)
///
/// Not safe to share between threads. Tensors do not keep the arena alive.
package final class Arena {
  private let storage: Storage?  // nil in an arena that only measures
  /// The number of floats in use, padding included.
  package private(set) var used = 0
  private var highest = 0

  /// Allocates an arena of `capacity` floats.
  package init(capacity: Int) { storage = Storage(count: capacity) }

  private init() { storage = nil }

  /// The largest number of floats that `body` holds at one time.
  ///
  /// The tensors that `body` receives have no memory behind them and must not be accessed.
  package static func measure(_ body: (Arena) -> Void) -> Int {
    let arena = Arena()
    body(arena)
    return arena.highest
  }

  /// The next `rows` x `columns` floats, on a 64-byte boundary and not initialised.
  ///
  /// Traps when the arena is full: a capacity that is too small is a programming error.
  package func tensor(_ rows: Int, _ columns: Int) -> Tensor {
    let start = used
    used += (rows * columns + 15) / 16 * 16  // 16 floats are a cache line
    highest = max(highest, used)
    guard let storage else {
      return Tensor(base: Self.noMemory, rows: rows, columns: columns)
    }
    precondition(used <= storage.count, "an arena of \(storage.count) floats needs \(used)")
    return Tensor(base: storage.base + start, rows: rows, columns: columns)
  }

  /// Memory for a `rows` x `columns` operand, not initialised; in bfloat16 it takes half as much.
  package func operand(_ rows: Int, _ columns: Int, in arithmetic: Arithmetic) -> Operand {
    guard let order = arithmetic.sumOrder else { return .float32(tensor(rows, columns)) }
    let memory = tensor(1, (rows * columns + 1) / 2)
    return .bfloat16(
      BFloat16Tensor(
        base: UnsafeMutableRawPointer(memory.base), rows: rows, columns: columns, order: order))
  }

  /// Releases every tensor taken since `used` was `mark`.
  package func release(to mark: Int) { used = mark }

  /// A non-null address for tensors of an arena that only measures.
  private static var noMemory: UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped
  }
}
