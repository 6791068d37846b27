import Collectives
import Foundation
import Platform
import Synchronization
import Tensors

/// Detects a run that makes no progress, and names the rank that the others wait for.
///
/// MPI does not notice a rank that hangs, and notices a broken network only after a quarter of an
/// hour. So every rank measures how long each section of the run takes. If one exceeds its
/// deadline, `onLate` gets a message built from the heartbeat files of all ranks.
///
///     let watchdog = Watchdog(deadlines: [.step: 60]) { message in ... message() ... }
///     watchdog.enter(.evaluation)
///
/// It has three threads, because any file access may hang together with the file system:
/// - the deadline thread never touches a file before a deadline has passed, so a file system that
///   hangs cannot stop it;
/// - the heartbeat thread writes the heartbeat file;
/// - the tick thread calls `onTick`, which may access files.
package final class Watchdog: Sendable {
  /// The parts of a run that have a deadline each.
  package enum Section: String, Sendable, CaseIterable {
    /// From the start to the first communication of all ranks.
    case connection
    /// Reading data and checkpoint; the deadline of the first step, too.
    case start
    case step
    case checkpoint
    case evaluation
    /// From the last step until all ranks have ended.
    case end
  }

  /// The default deadline of a section in seconds, after steps of these durations.
  ///
  /// The deadline of a step is at least twenty times the median of the last steps.
  package static func defaultDeadline(_ section: Section, after stepSeconds: [Double]) -> Double {
    switch section {
    case .connection: 120
    case .start, .checkpoint, .evaluation: 600
    case .step: max(60, 20 * stepSeconds.median)
    case .end: 60
    }
  }

  private struct State {
    var section = Section.connection
    /// The current part of the section.
    var detail = "connection"
    /// Seconds in the section, without time in which this process was suspended.
    ///
    /// A suspended rank is the one that the others wait for. Counted in full, the suspension would
    /// make it report another rank as soon as it resumes.
    var elapsed = 0.0
    var lastCheck = now()
    var step = 0
    var stepSeconds: [Double] = []
    var size = 1
    var rank = 0
    var folder = ""
    var heartbeat: Heartbeat?
    /// The state in the heartbeat.
    var status = "running"
    /// Whether this rank has ended; `status` is then final.
    var hasEnded = false
  }

  private let deadlines: [Section: Double]
  /// Seconds between two checks; a heartbeat is written at every fourth.
  private let interval: Double
  private let onTick: @Sendable (Watchdog) -> Void
  private let onLate: @Sendable (_ message: () -> String) -> Void
  private let state = Mutex(State())
  /// Held while a heartbeat is written, so that an old state never overwrites a newer one.
  private let writing = Mutex(())
  /// Whether the watchdog has been released, which ends its threads.
  private let isReleased = Monitor(false)

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - deadlines: deadlines in seconds that replace the defaults.
  ///   - interval: seconds between two checks of the deadline.
  ///   - onTick: called several times a second on a thread of its own.
  ///   - onLate: called when a deadline has passed, at every check until another section begins. It
  ///     is expected to end the program. `message` names the rank that is late; it reads files and
  ///     may hang.
  package init(
    deadlines: [Section: Double], interval: Double = 0.25,
    onTick: @escaping @Sendable (Watchdog) -> Void = { _ in },
    onLate: @escaping @Sendable (_ message: () -> String) -> Void
  ) {
    self.deadlines = deadlines
    self.interval = interval
    self.onTick = onTick
    self.onLate = onLate
    repeatedly(every: interval) { $0.checkDeadline() }
    repeatedly(every: interval) { $0.onTick($0) }
    repeatedly(every: 4 * interval) { $0.writeHeartbeat() }
  }

  deinit {
    isReleased.withLock { $0 = true }
    isReleased.wakeAll()
  }

  /// Calls `body` repeatedly on a new thread, as long as the watchdog exists.
  ///
  /// The thread holds a strong reference only while `body` runs, so that the watchdog can be
  /// released. The thread is not joined: if `body` hangs in a file system, the end of the run must
  /// not hang, too.
  private func repeatedly(every seconds: Double, _ body: @escaping @Sendable (Watchdog) -> Void) {
    startDetachedThreadOrEnd { [weak self, isReleased] in
      repeat {
        guard let watchdog = self else { return }
        body(watchdog)
      } while !isReleased.wait(seconds: seconds) { $0 }
    }
  }

  /// Starts to write heartbeats into the run's folder.
  ///
  /// Rank zero also removes heartbeat files of ranks that an earlier, larger start had.
  package func join(rank: Int, of size: Int, folder: String) {
    if rank == 0 { Heartbeat.clear(folder: folder, from: size) }
    state.withLock {
      ($0.rank, $0.size, $0.folder) = (rank, size, folder)
      $0.heartbeat = Heartbeat(folder: folder, rank: rank)
    }
    writeHeartbeat()
  }

  /// Enters a section, or another part of it, and restarts its time.
  ///
  /// Call it on the main thread: it also starts a new event of the timeline's main row.
  package func enter(_ section: Section, _ detail: String? = nil, step: Int? = nil) {
    Timeline.enter(detail ?? section.rawValue)
    state.withLock {
      $0.section = section
      $0.detail = detail ?? section.rawValue
      $0.elapsed = 0
      if let step { $0.step = step }
    }
  }

  /// Restarts the time of the current section, because a part of a long computation is done.
  ///
  /// It may be called on any thread.
  package func restart() { state.withLock { $0.elapsed = 0 } }

  /// Names the current part of the section without restarting its time.
  ///
  /// It may be called on any thread.
  package func mark(_ detail: String) { state.withLock { $0.detail = detail } }

  /// Records the seconds that a step took, for the deadline of the next steps.
  package func add(stepSeconds: Double) {
    state.withLock {
      $0.stepSeconds.append(stepSeconds)
      if $0.stepSeconds.count > 64 { $0.stepSeconds.removeFirst(32) }
    }
  }

  /// Writes the status of this rank into its heartbeat file at once.
  ///
  /// After `end` the status stays: the thread that reports a request to stop may be slower than the
  /// run that follows the request.
  package func write(_ status: String) {
    state.withLock { if !$0.hasEnded { $0.status = status } }
    writeHeartbeat()
  }

  /// Writes the final status of this rank into its heartbeat file at once.
  package func end(_ status: String) {
    state.withLock { ($0.status, $0.hasEnded) = (status, true) }
    writeHeartbeat()
  }

  /// Writes the current state into the heartbeat file.
  ///
  /// The state's lock is released before the write: `enter` needs it on the main thread, which must
  /// not wait for a file system. The state is read under the writing lock, so writes are in order.
  private func writeHeartbeat() {
    writing.withLock { _ in
      let state = state.withLock { $0 }
      state.heartbeat?.write(step: state.step, section: state.detail, state: state.status)
    }
  }

  /// The seconds that the current section may take.
  private func deadline(_ state: State) -> Double {
    let section = Self.limitingSection(state)
    return deadlines[section] ?? Self.defaultDeadline(section, after: state.stepSeconds)
  }

  /// The section whose deadline applies.
  ///
  /// The time of a step is unknown before the first one is done, which has the deadline of the
  /// start.
  private static func limitingSection(_ state: State) -> Section {
    state.section == .step && state.stepSeconds.isEmpty ? .start : state.section
  }

  private func checkDeadline() {
    let (state, limit) = state.withLock { state in
      // A longer gap than a few intervals means that the process was suspended (`State.elapsed`).
      state.elapsed += min(now() - state.lastCheck, 4 * interval)
      state.lastCheck = now()
      let limit = deadline(state)
      let isLate = state.elapsed > limit
      if isLate && !state.hasEnded { state.status = "late" }
      return (state, isLate ? limit : nil)
    }
    guard let limit else { return }
    // Only the closure touches files. `onLate` can run it where it may hang.
    onLate {
      writeHeartbeat()
      return Self.message(state, limit: limit)
    }
  }

  /// The part of a step in which workers wait for weights from other ranks.
  package static let waitingForWeights = "waiting-for-weights"

  /// Says which section of this rank is late, and which rank is the likely cause.
  private static func message(_ state: State, limit: Double) -> String {
    let part = state.section == .step ? "\(state.detail) of step \(state.step)" : state.detail
    let late = "rank \(state.rank) on \(hostName()) spent more than \(Int(limit)) s in \(part)"
    guard state.section != .connection else {
      return late + ": not all ranks could be reached. If hosts have several networks, select the "
        + "right one: mpirun --mca btl_tcp_if_include 10.0.0.0/24 "
        + "--mca oob_tcp_if_include 10.0.0.0/24"
    }
    let heartbeats = (0..<state.size).map { Heartbeat.last(folder: state.folder, rank: $0) }
    return late + ": "
      + cause(heartbeats, reportedBy: state.rank, tolerance: max(2, min(limit / 2, 10)))
      + "; if it is only slow, give a longer --deadline \(limitingSection(state).rawValue)=SECONDS"
  }

  /// Names the ranks that a stalled run waits for, from the heartbeats of all ranks.
  ///
  /// The first rule that applies gives the answer:
  /// 1. A rank without a heartbeat file: the folder is not shared, or the rank never started.
  /// 2. A rank with an old heartbeat: its process or host has stopped. Heartbeats are compared with
  ///    the newest one and not with this host's clock, because the file system's clock sets them
  ///    all.
  /// 3. A rank in a part of the step where it does not wait for others: it is slow, or it hangs.
  /// 4. All ranks wait: the network between them has failed.
  ///
  /// - Parameters:
  ///   - heartbeats: one per rank, nil where none could be read.
  ///   - reporter: the rank whose deadline has passed.
  ///   - tolerance: the age in seconds, relative to the newest heartbeat, up to which one is
  ///     current.
  /// - Returns: the end of a sentence.
  package static func cause(
    _ heartbeats: [Heartbeat.Record?], reportedBy reporter: Int, tolerance: Double
  ) -> String {
    if heartbeats.count == 1 { return "it makes no progress" }
    let missing = heartbeats.indices.filter { heartbeats[$0] == nil }
    if !missing.isEmpty {
      return "there is no heartbeat of rank \(list(missing)); do all hosts see the run's folder?"
    }
    let known = heartbeats.compactMap(\.self)
    let newest = known.map(\.time).max() ?? 0
    func names(_ records: [Heartbeat.Record]) -> String {
      let ranks = records.map {
        "rank \($0.rank) on \($0.host) in \($0.section) of step \($0.step)"
      }
      return shortList(ranks, most: 8)
    }
    let silent = known.filter { newest - $0.time > tolerance }
    if !silent.isEmpty {
      let seconds = Int(newest - (silent.map(\.time).min() ?? newest))
      return "no heartbeat for \(seconds) s from \(names(silent))"
    }
    // A rank waits for others in the first three parts. So does any rank in the reporter's part:
    // the deadline thread reports although the main thread may be blocked in MPI at any point.
    let waiting: Set = ["meeting", "reduction", waitingForWeights, known[reporter].section]
    let behind = known.filter { !waiting.contains($0.section) }
    if behind.isEmpty {
      let hosts = Set(known.map(\.host)).sorted()
      return "all ranks are running and wait for each other; check the network between "
        + hosts.joined(separator: ", ")
    }
    return "the others wait for \(names(behind))"
  }

  private static func list(_ ranks: [Int]) -> String {
    ranks.prefix(8).map(String.init).joined(separator: ", ") + (ranks.count > 8 ? " ..." : "")
  }
}
