import Collectives
import Foundation
import Platform
import Synchronization
import Training

/// Guards a run on this rank: deadlines and heartbeats (the watchdog), the folder's lock, and
/// SIGTERM.
///
/// All of it runs on the watchdog's threads, so it works even while the rank hangs in a call.
package struct RunGuard {
  package let watchdog: Watchdog
  /// When the guard was made, at the start of the program, in seconds of `now()`.
  package let start = now()
  private let keeper: LockKeeper

  /// Installs the signal handlers and starts the watchdog.
  ///
  /// `deadlines` are in seconds and replace the defaults of their sections; `slurmGrace` is the
  /// time in seconds that Slurm leaves between SIGTERM and SIGKILL.
  package init(deadlines: [Watchdog.Section: Double], slurmGrace: Double) {
    let keeper = LockKeeper(grace: Self.graceOfLauncher(slurm: slurmGrace))
    self.keeper = keeper
    StopSignals.install()
    watchdog = Watchdog(
      deadlines: deadlines, onTick: { keeper.check($0) },
      onLate: { sentence in
        // The sentence reads heartbeats, and the file system may hang too: exit in any case.
        exitLater(seconds: 10, .late)
        standardError("electra: \(sentence())\n")
        // The launcher kills all ranks at once and forwards only the output that it has by then.
        Thread.sleep(forTimeInterval: 0.3)
        endAllRanks(.late)
      })
  }

  /// Seconds from SIGTERM until the launcher kills this rank; nil without a launcher that does.
  private static func graceOfLauncher(slurm: Double) -> Double? {
    let environment = ProcessInfo.processInfo.environment
    if environment["OMPI_COMM_WORLD_SIZE"] != nil { return 1 }
    return environment["SLURM_STEP_NUM_TASKS"] != nil ? slurm : nil
  }

  /// Locks the run's folder for this program; called on rank zero.
  ///
  /// Where another program holds the lock, waits until it is clear whether that program still runs;
  /// throws `CheckpointError.inUse` if it does.
  package func lock(_ folder: String) throws {
    let lock = try RunLock(
      folder: folder, isAskedToStop: { StopSignals.isRequested },
      onWait: {
        watchdog.mark("waiting-for-lock")
        standardError("electra: \($0)\n")
      })
    keeper.keep(lock)
  }

  /// Ends the guard of this rank and releases the lock.
  ///
  /// Other ranks may still be at work.
  ///
  /// - Parameter state: how the run ended, a word for the last heartbeat.
  package func end(_ state: String) {
    watchdog.enter(.end)
    watchdog.end(state)
    keeper.release()
  }
}

/// The part of the guard that runs on the watchdog's threads: keeps the lock and reacts to signals.
private final class LockKeeper: Sendable {
  private struct State {
    var lock: RunLock?
    var lastRefresh = now()
    /// Whether the request to stop has been written to the heartbeat.
    var isStopping = false
    /// When SIGTERM arrived; nil before.
    var terminated: Double?
  }

  private let state = Mutex(State())
  /// Seconds from SIGTERM until the launcher kills this rank; nil for no limit.
  private let grace: Double?

  /// Seconds between two refreshments of the lock, by which other programs see that it is held.
  private static let refreshInterval = 10.0

  init(grace: Double?) { self.grace = grace }

  /// Takes over a lock, to refresh it from now on.
  func keep(_ lock: RunLock) { state.withLock { $0.lock = lock } }

  /// Releases the lock; does nothing without one.
  func release() {
    state.withLock {
      $0.lock?.release()
      $0.lock = nil
    }
  }

  /// Refreshes the lock and reacts to signals; the watchdog calls it several times a second.
  func check(_ watchdog: Watchdog) {
    // The mutex guards the decision; heartbeats and the end of the program come after it.
    let (isAsked, isExpired, isLost) = state.withLock { state in
      let isAsked = StopSignals.isRequested && !state.isStopping
      state.isStopping = StopSignals.isRequested
      if StopSignals.isTerminated && state.terminated == nil { state.terminated = now() }
      var isExpired = false
      if let grace, let since = state.terminated { isExpired = now() - since > grace }
      var isLost = false
      if let lock = state.lock, now() - state.lastRefresh >= Self.refreshInterval {
        state.lastRefresh = now()
        isLost = !lock.refresh()
      }
      return (isAsked, isExpired, isLost)
    }
    if isAsked { watchdog.write("stopping") }
    // The launcher is about to kill this rank. Exiting first leaves a last heartbeat, and a status
    // that says that the run was stopped; the checkpoint could not be written in time.
    if isExpired {
      watchdog.write("terminated")
      _exit(ExitStatus.stopped.rawValue)
    }
    if isLost {
      standardError("electra: another program has locked the run's folder; this one ends\n")
      endAllRanks(.cannotCreate)
    }
  }
}

/// Ends the job from any thread, even while other threads hang.
private func endAllRanks(_ status: ExitStatus) -> Never {
  // MPI_Abort may hang too.
  exitLater(seconds: 1.5, status)
  Communicator.abort(status: status.rawValue)
}

/// Exits after some seconds, whatever the program does until then.
private func exitLater(seconds: Double, _ status: ExitStatus) {
  startDetachedThreadOrEnd {
    Thread.sleep(forTimeInterval: seconds)
    _exit(status.rawValue)
  }
}
