import Collectives
import Foundation
import Platform
import Synchronization
import Training

/// Watches over a run on this rank: the watchdog and its heartbeats, the lock of the folder, SIGTERM.
///
/// All of it runs on the watchdog's threads, so it works while the rank hangs in a call.
package struct RunGuard {
  package let watchdog: Watchdog
  /// When it was made, which is when the program began.
  package let start = now()
  private let keeper: LockKeeper

  /// - Parameters:
  ///   - deadlines: seconds of each section of a run, where they are not the usual ones.
  ///   - slurmGrace: seconds that Slurm leaves between SIGTERM and SIGKILL.
  package init(deadlines: [Watchdog.Section: Double], slurmGrace: Double) {
    let keeper = LockKeeper(grace: Self.graceOfLauncher(slurm: slurmGrace))
    self.keeper = keeper
    StopSignals.install()
    watchdog = Watchdog(
      deadlines: deadlines, onTick: { keeper.look($0) },
      onLate: { sentence in
        // Even if the file system hangs that the sentence reads.
        exitLater(seconds: 10, .late)
        standardError("electra: \(sentence())\n")
        // The launcher kills at once, and passes on what has reached it by then.
        Thread.sleep(forTimeInterval: 0.3)
        endAllRanks(.late)
      })
  }

  /// Seconds from SIGTERM until whoever started this rank kills it; nil when nobody will.
  private static func graceOfLauncher(slurm: Double) -> Double? {
    let environment = ProcessInfo.processInfo.environment
    if environment["OMPI_COMM_WORLD_SIZE"] != nil { return 1 }
    return environment["SLURM_STEP_NUM_TASKS"] != nil ? slurm : nil
  }

  /// Takes the run's folder for this program; on rank zero.
  package func lock(_ folder: String) throws {
    let lock = try RunLock(
      folder: folder, isAskedToStop: { StopSignals.isRequested },
      onWait: {
        watchdog.mark("waiting-for-lock")
        standardError("electra: \($0)\n")
      })
    keeper.hold(lock)
  }

  /// The run has ended on this rank, in one word; others may still be at work.
  package func end(_ word: String) {
    watchdog.enter(.end)
    watchdog.end(word)
    keeper.release()
  }
}

/// The part of the guard that the watchdog's threads share.
private final class LockKeeper: Sendable {
  private struct State {
    var lock: RunLock?
    var lastRefresh = now()
    var isStopping = false
    var terminated: Double?
  }

  private let state = Mutex(State())
  private let grace: Double?

  /// Seconds between two signs that the lock is held.
  private static let refreshInterval = 10.0

  init(grace: Double?) { self.grace = grace }

  func hold(_ lock: RunLock) { state.withLock { $0.lock = lock } }

  func release() {
    state.withLock {
      $0.lock?.release()
      $0.lock = nil
    }
  }

  func look(_ watchdog: Watchdog) {
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
    // A rank that is killed says nothing any more; the others are asked to stop by the launcher.
    if isAsked { watchdog.write("stopping") }
    if isExpired {
      watchdog.write("terminated")
      _exit(ExitStatus.stopped.rawValue)
    }
    if isLost {
      standardError("electra: another program took over the run's folder; this one ends\n")
      endAllRanks(.cannotCreate)
    }
  }
}

/// Ends the job from any thread, whatever the others hang in.
private func endAllRanks(_ status: ExitStatus) -> Never {
  // MPI may be stuck itself.
  exitLater(seconds: 1.5, status)
  Communicator.abort(status: status.rawValue)
}

private func exitLater(seconds: Double, _ status: ExitStatus) {
  startDetachedThreadOrEnd {
    Thread.sleep(forTimeInterval: seconds)
    _exit(status.rawValue)
  }
}
