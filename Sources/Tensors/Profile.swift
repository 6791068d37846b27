import Platform
import Synchronization

/// The categories of kernel time.
package enum Activity: Hashable, Sendable {
  /// A product of whole matrices: (rows, inner) times (inner, columns).
  case product(rows: Int, columns: Int, inner: Int)
  /// The products of attention, on windows of one head.
  case attentionProducts
  /// Rounding and packing of weights, once a step.
  case packing
  case softmax
  case normalization
  /// GELU as a sweep of its own; in bfloat16 most of it is part of the product.
  case gelu
  case dropout
  /// The softmax over the vocabulary with sampling, forward and backward.
  case vocabularySoftmax
  /// Look-ups, biases and sums over rows.
  case rows
  /// Clearing and adding gradients.
  case merging
  case optimizer
  /// The products of Muon.
  case orthogonalization
}

/// Measures the time of kernels by activity, for benchmarks.
///
/// State of the whole process. It is off by default; when on, it costs one lock per kernel call.
package enum Profile {
  /// The total of one activity over all worker threads.
  package struct Entry: Sendable {
    package var calls = 0
    package var seconds = 0.0
    /// Floating-point operations of products; 0 for other activities.
    package var operations = 0.0
  }

  private static let isOn = Atomic<Bool>(false)
  private static let entries = Mutex<[Activity: Entry]>([:])

  /// Clears the entries and starts measuring.
  package static func turnOn() {
    entries.withLock { $0 = [:] }
    isOn.store(true, ordering: .relaxed)
  }

  /// Stops measuring and returns the entries.
  package static func turnOff() -> [Activity: Entry] {
    isOn.store(false, ordering: .relaxed)
    return entries.withLock(\.self)
  }

  /// The current time in seconds, or 0 when profiling is off.
  ///
  /// Every kernel begins with
  ///
  ///     let start = Profile.begin()
  ///     defer { Profile.end(.gelu, start) }
  @inline(__always)
  package static func begin() -> Double { isOn.load(ordering: .relaxed) ? now() : 0 }

  /// Adds the time since `start` to `activity`.
  @inline(__always)
  package static func end(
    _ activity: @autoclosure () -> Activity, _ start: Double,
    operations: @autoclosure () -> Double = 0
  ) {
    if start > 0 { record(activity(), now() - start, operations()) }
  }

  @inline(never)
  private static func record(_ activity: Activity, _ seconds: Double, _ operations: Double) {
    entries.withLock { entries in
      entries[activity, default: Entry()].calls += 1
      entries[activity, default: Entry()].seconds += seconds
      entries[activity, default: Entry()].operations += operations
    }
  }
}
