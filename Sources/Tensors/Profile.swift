import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What kernels spend their time on.
package enum Activity: Hashable, Sendable {
  /// A product of whole matrices: (rows, inner) times (inner, columns).
  case product(rows: Int, columns: Int, inner: Int)
  /// The products of attention, which work on windows of one head.
  case attentionProducts
  case softmax
  case normalization
  case gelu
  case dropout
  /// The softmax over the vocabulary with its samples, forward and backward.
  case vocabularySoftmax
  /// Look-ups, biases and sums over rows.
  case rows
  /// Setting gradients to zero and adding them.
  case merging
  case optimizer
}

/// Where the time of a step goes, for benchmarks: kernels say how long they took. It is off unless a
/// benchmark turns it on, and costs then one lock a kernel.
package enum Profile {
  /// What was spent on one activity, over all lanes.
  package struct Entry: Sendable {
    package var calls = 0
    package var seconds = 0.0
    /// Of the products.
    package var operations = 0.0
  }

  private static let isOn = Atomic<Bool>(false)
  private static let entries = Mutex<[Activity: Entry]>([:])

  /// Begins to take times.
  package static func turnOn() {
    entries.withLock { $0 = [:] }
    isOn.store(true, ordering: .relaxed)
  }

  /// Stops, and returns what was taken.
  package static func turnOff() -> [Activity: Entry] {
    isOn.store(false, ordering: .relaxed)
    return entries.withLock(\.self)
  }

  /// The time now, or 0 when nobody asks. Every kernel begins and ends with
  ///
  ///     let start = Profile.begin()
  ///     defer { Profile.end(.gelu, start) }
  @inline(__always)
  package static func begin() -> Double { isOn.load(ordering: .relaxed) ? seconds() : 0 }

  /// Takes the time since `start` under `activity`.
  @inline(__always)
  package static func end(
    _ activity: @autoclosure () -> Activity, _ start: Double,
    operations: @autoclosure () -> Double = 0
  ) {
    if start > 0 { record(activity(), seconds() - start, operations()) }
  }

  @inline(never)
  private static func record(_ activity: Activity, _ seconds: Double, _ operations: Double) {
    entries.withLock { entries in
      entries[activity, default: Entry()].calls += 1
      entries[activity, default: Entry()].seconds += seconds
      entries[activity, default: Entry()].operations += operations
    }
  }

  private static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
