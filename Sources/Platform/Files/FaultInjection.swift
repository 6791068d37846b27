import Foundation
import Synchronization

/// Faults made on purpose, for tests: ELECTRA_KILL_AT=7 lets the program kill itself, as by `kill -9`,
/// at the seventh write, flush or rename of its output folders and checkpoints.
package enum FaultInjection {
  private static let target = Int(ProcessInfo.processInfo.environment["ELECTRA_KILL_AT"] ?? "")
  private static let count = Atomic(0)

  package static let hook: FaultHook = { _ in
    guard let target else { return }
    if count.add(1, ordering: .relaxed).newValue == target { kill(getpid(), SIGKILL) }
  }
}
