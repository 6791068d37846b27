import Collectives
import Foundation
import Platform
import Synchronization
import Tensors

/// Sees to it that a run gets on. MPI does not notice a rank that hangs, nor for a quarter of an hour a
/// cable that is cut; a thread of every rank does: when a section of the run lasts longer than its
/// deadline, it names who is late and where.
///
///     let watchdog = Watchdog(deadlines: [.step: 60]) { sentence in ... sentence() ... }
///     watchdog.enter(.evaluation)
///
/// The deadlines have a thread of their own, which never touches a file: a file system that hangs is one of
/// the things that it is there for. Signs of life are given by another.
package final class Watchdog: Sendable {
  /// The parts of a run that have a deadline each.
  package enum Section: String, Sendable, CaseIterable {
    /// Until all ranks have met for the first time.
    case connection
    /// Reading data and checkpoint, and the first step.
    case start
    case step
    case checkpoint
    case evaluation
    /// Until all ranks have ended.
    case end
  }

  /// The deadline of a section in seconds, where none is set. That of a step is this or twenty times
  /// the median of the last steps, if that is more.
  private static func usualDeadline(_ section: Section) -> Double {
    switch section {
    case .connection: 120
    case .start, .checkpoint, .evaluation: 600
    case .step, .end: 60
    }
  }

  private struct State {
    var section = Section.connection
    /// What of the section is being done.
    var detail = "connection"
    /// Seconds in it. Time in which this whole process stood still does not count: it is then this
    /// rank that others wait for.
    var elapsed = 0.0
    var lastLook = now()
    var step = 0
    var stepSeconds: [Double] = []
    var size = 1
    var rank = 0
    var folder = ""
    var heartbeat: Heartbeat?
    var word = "running"
    /// `word` is how this rank ended: it stays.
    var hasEnded = false
  }

  private let deadlines: [Section: Double]
  /// Seconds between two looks; a sign of life comes with every fourth.
  private let interval: Double
  private let onLook: @Sendable (Watchdog) -> Void
  private let onLate: @Sendable (_ sentence: () -> String) -> Void
  private let state = Mutex(State())
  /// Held while a sign of life is written, so that an older one never comes after a newer.
  private let writing = Mutex(())
  /// Whether the watchdog is gone and its threads have to end.
  private let isOver = Monitor(false)

  /// - Parameters:
  ///   - deadlines: those that are set, in seconds.
  ///   - interval: seconds between two looks at them.
  ///   - onLook: called several times a second on the thread of the signs of life.
  ///   - onLate: called when a deadline has passed; is expected to end the program. `sentence` says who
  ///     is late; it reads files, which may hang.
  package init(
    deadlines: [Section: Double], interval: Double = 0.25,
    onLook: @escaping @Sendable (Watchdog) -> Void = { _ in },
    onLate: @escaping @Sendable (_ sentence: () -> String) -> Void
  ) {
    self.deadlines = deadlines
    self.interval = interval
    self.onLook = onLook
    self.onLate = onLate
    repeatedly(every: interval) { $0.look() }
    repeatedly(every: interval) { $0.onLook($0) }
    repeatedly(every: 4 * interval) { $0.beat() }
  }

  deinit {
    isOver.withLock { $0 = true }
    isOver.wakeAll()
  }

  /// Calls `body` again and again on a thread of its own, as long as the watchdog exists.
  ///
  /// The thread holds the watchdog only while `body` runs. It is not joined: `body` may hang in a file
  /// system, and then the end of the run would too.
  private func repeatedly(every seconds: Double, _ body: @escaping @Sendable (Watchdog) -> Void) {
    startDetachedThreadOrEnd { [weak self, isOver] in
      repeat {
        guard let watchdog = self else { return }
        body(watchdog)
      } while !isOver.wait(seconds: seconds) { $0 }
    }
  }

  /// From now on this rank gives signs of life in the run's folder.
  package func join(rank: Int, of size: Int, folder: String) {
    if rank == 0 { Heartbeat.clear(folder: folder, from: size) }
    state.withLock {
      ($0.rank, $0.size, $0.folder) = (rank, size, folder)
      $0.heartbeat = Heartbeat(folder: folder, rank: rank)
    }
    beat()
  }

  /// A section begins, or another part of it: the time starts anew.
  package func enter(_ section: Section, _ detail: String? = nil, step: Int? = nil) {
    Timeline.enter(detail ?? section.rawValue)
    state.withLock {
      $0.section = section
      $0.detail = detail ?? section.rawValue
      $0.elapsed = 0
      if let step { $0.step = step }
    }
  }

  /// What of the section is being done, whose time goes on; from any thread.
  package func mark(_ detail: String) { state.withLock { $0.detail = detail } }

  /// A step took so many seconds.
  package func add(stepSeconds: Double) {
    state.withLock {
      $0.stepSeconds.append(stepSeconds)
      if $0.stepSeconds.count > 64 { $0.stepSeconds.removeFirst(32) }
    }
  }

  /// Writes the state of this rank at once. Ignored after `end`: a thread that saw a request to stop may
  /// be slower than the run that obeyed it.
  package func write(_ word: String) {
    state.withLock { if !$0.hasEnded { $0.word = word } }
    beat()
  }

  /// Writes at once how this rank ended. Nothing replaces that state.
  package func end(_ word: String) {
    state.withLock { ($0.word, $0.hasEnded) = (word, true) }
    beat()
  }

  /// Outside the state's lock: a file system that hangs must not hold up the run.
  private func beat() {
    writing.withLock { _ in
      let state = state.withLock { $0 }
      state.heartbeat?.write(step: state.step, section: state.detail, state: state.word)
    }
  }

  /// Seconds that the present section may last.
  private func deadline(_ state: State) -> Double {
    // Before any step is done nobody knows how long one takes.
    let isFirstStep = state.section == .step && state.stepSeconds.isEmpty
    let section = isFirstStep ? .start : state.section
    if let set = deadlines[section] { return set }
    let usual = Self.usualDeadline(section)
    guard section == .step else { return usual }
    return max(usual, 20 * state.stepSeconds.median)
  }

  private func look() {
    let (state, limit) = state.withLock { state in
      state.elapsed += min(now() - state.lastLook, 4 * interval)
      state.lastLook = now()
      let limit = deadline(state)
      let isLate = state.elapsed > limit
      if isLate && !state.hasEnded { state.word = "late" }
      return (state, isLate ? limit : nil)
    }
    guard let limit else { return }
    onLate {
      beat()
      return Self.sentence(state, limit: limit)
    }
  }

  /// What a rank does whose workers wait for weights that travel.
  package static let waitingForWeights = "waiting-for-weights"

  /// Who is late, and where.
  private static func sentence(_ state: State, limit: Double) -> String {
    let place = state.section == .step ? "\(state.detail) of step \(state.step)" : state.detail
    let waited = "rank \(state.rank) on \(hostName()) was longer than \(Int(limit)) s in \(place)"
    guard state.section != .connection else {
      return waited + ": not all ranks could be reached. Where hosts have several networks, name "
        + "the right one: mpirun --mca btl_tcp_if_include 10.0.0.0/24 "
        + "--mca oob_tcp_if_include 10.0.0.0/24"
    }
    let beats = (0..<state.size).map { Heartbeat.last(folder: state.folder, rank: $0) }
    return waited + ": " + blame(beats, own: state.rank, patience: max(2, min(limit / 2, 10)))
  }

  /// What the signs of life of all ranks tell about a run that stands.
  ///
  /// - Parameters:
  ///   - beats: one a rank, nil where nothing is known.
  ///   - own: the rank that asks.
  ///   - patience: seconds of silence, against the newest sign, that are no silence yet.
  package static func blame(_ beats: [Heartbeat.Beat?], own: Int, patience: Double) -> String {
    if beats.count == 1 { return "it does not get on" }
    let unknown = beats.indices.filter { beats[$0] == nil }
    if !unknown.isEmpty {
      return "nothing is known of rank \(list(unknown)); do all hosts see the run's folder?"
    }
    let known = beats.compactMap(\.self)
    let newest = known.map(\.time).max() ?? 0
    func names(_ beats: [Heartbeat.Beat]) -> String {
      beats.prefix(8).map {
        "rank \($0.rank) on \($0.host) in \($0.section) of step \($0.step)"
      }.joined(separator: ", ") + (beats.count > 8 ? " and \(beats.count - 8) more" : "")
    }
    let silent = known.filter { newest - $0.time > patience }
    if !silent.isEmpty {
      let seconds = Int(newest - (silent.map(\.time).min() ?? newest))
      return "no sign of life for \(seconds) s from \(names(silent))"
    }
    // In these a rank waits for others, and so does whoever asks, wherever it is.
    let waiting: Set = ["meeting", "reduction", waitingForWeights, known[own].section]
    let behind = known.filter { !waiting.contains($0.section) }
    if behind.isEmpty {
      let hosts = Set(known.map(\.host)).sorted()
      return "all ranks are alive and wait for each other; does the network between "
        + "\(hosts.joined(separator: ", ")) carry?"
    }
    return "the others wait for \(names(behind))"
  }

  private static func list(_ ranks: [Int]) -> String {
    ranks.prefix(8).map(String.init).joined(separator: ", ") + (ranks.count > 8 ? " ..." : "")
  }
}
