import Synchronization
import Tensors

/// The sum of an embedding table's parameter and its base, computed once per change of the weights.
final class SummedTable: Sendable {
  private let sum: Storage
  /// The version of the weights that `sum` is of.
  private let version = Mutex<Int?>(nil)

  /// Allocates a sum of `count` floats.
  init(count: Int) { sum = Storage(count: count) }

  /// The sum of `parameter` and `base`, which have one shape.
  ///
  /// Threads that call it at the same time wait until one of them has added.
  func of(_ parameter: Tensor, _ base: Tensor, version: Int) -> Tensor {
    let result = Tensor(base: sum.base, rows: parameter.rows, columns: parameter.columns)
    self.version.withLock { summed in
      guard summed != version else { return }
      result.copy(from: base)
      result.add(parameter)
      summed = version
    }
    return result
  }
}
