import Foundation
import Synchronization

/// Fault injection for tests.
///
/// With ELECTRA_KILL_AT=7 the program kills itself with SIGKILL at the seventh write, flush or
/// rename of its output folders and checkpoints.
package enum FaultInjection {
  private static let target = Int(ProcessInfo.processInfo.environment["ELECTRA_KILL_AT"] ?? "")
  private static let count = Atomic(0)

  /// The hook that counts the events; it does nothing unless ELECTRA_KILL_AT is set.
  package static let hook: FaultHook = { _ in
    guard let target else { return }
    if count.add(1, ordering: .relaxed).newValue == target { kill(getpid(), SIGKILL) }
  }
}
