import Foundation
import Synchronization

/// Requests to stop that arrive as signals.
///
/// After the first one the run saves a checkpoint and ends with status 75; a second one ends it at
/// once. SIGHUP counts once: a closing terminal often sends it several times.
package enum StopSignals {
  private static let count = Atomic(0)
  private static let terminated = Atomic(false)

  /// Whether a signal has requested a stop.
  package static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Whether SIGTERM has arrived; the launcher will soon kill a process that does not end by
  /// itself.
  package static var isTerminated: Bool { terminated.load(ordering: .relaxed) }

  /// Installs handlers for SIGTERM and SIGINT and, unless they are ignored, SIGUSR1 and SIGHUP.
  ///
  /// nohup ignores SIGHUP, and a job script ignores SIGUSR1 for a verb without checkpoints. SIGINT
  /// is handled in any case: shells ignore it for background jobs.
  ///
  /// Handlers only change atomic counters, as signal safety requires.
  package static func install() {
    for number in [SIGUSR1, SIGTERM, SIGINT] where number != SIGUSR1 || !isIgnored(SIGUSR1) {
      signal(number) { number in
        if number == SIGTERM { StopSignals.terminated.store(true, ordering: .relaxed) }
        if StopSignals.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(75) }
      }
    }
    if !isIgnored(SIGHUP) {
      signal(SIGHUP) { _ in StopSignals.count.max(1, ordering: .relaxed) }
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
