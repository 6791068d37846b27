import Foundation
import Synchronization

/// Requests to stop that arrive as signals: the first lets the run save and end with status 75, a
/// second ends it at once. A terminal that closes asks too, and often several times, which is no second
/// request.
package enum StopSignals {
  private static let count = Atomic(0)
  private static let terminated = Atomic(false)

  /// Whether a signal has asked to stop.
  package static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Whether SIGTERM has come: the launcher will soon kill what does not end by itself.
  package static var isTerminated: Bool { terminated.load(ordering: .relaxed) }

  /// Begins to listen to SIGUSR1, SIGTERM, SIGINT and, unless it is ignored as under nohup, SIGHUP.
  package static func install() {
    // A file above a limit is then an error of its write, and not the end.
    signal(SIGXFSZ, SIG_IGN)
    for number in [SIGUSR1, SIGTERM, SIGINT] {
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
