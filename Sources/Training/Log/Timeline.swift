import Collectives
import Foundation
import Platform
import Synchronization

/// A trace of the threads of all ranks, for chrome://tracing and ui.perfetto.dev.
///
/// Recording is off by default. While it is on, every event takes one lock.
package enum Timeline {
  /// A row of the trace: a thread of the rank.
  enum Track {
    case main
    case worker(Int)
    case communication
    case saver

    /// The position of the row; workers come after the main thread, in the order of their numbers.
    var number: Int {
      switch self {
      case .main: 0
      case .worker(let worker): 1 + worker
      case .communication: 1_000_000
      case .saver: 1_000_001
      }
    }

    var name: String {
      switch self {
      case .main: "main"
      case .worker(let worker): "worker \(worker)"
      case .communication: "communication"
      case .saver: "checkpoints"
      }
    }
  }

  private struct Event {
    let name: String
    let track: Track
    let start: Double
    let end: Double
  }

  private struct State {
    var origin = 0.0
    var events: [Event] = []
    /// The main thread's current event and its start.
    var section: (name: String, start: Double)?
  }

  private static let isOn = Atomic<Bool>(false)
  private static let state = Mutex(State())

  /// Starts recording.
  ///
  /// Every rank must call it. The ranks synchronize, and that moment is time zero on all of them.
  package static func turnOn(_ world: Communicator) throws {
    try world.barrier()
    state.withLock { $0 = State(origin: now()) }
    isOn.store(true, ordering: .relaxed)
  }

  /// Runs `body`, and records it as an event if it takes at least `atLeast` seconds.
  static func record<Result>(
    _ name: @autoclosure () -> String, on track: Track, atLeast: Double = 0,
    _ body: () throws -> Result
  ) rethrows -> Result {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    let start = now()
    defer {
      let event = Event(name: name(), track: track, start: start, end: now())
      if event.end - start >= atLeast { state.withLock { $0.events.append(event) } }
    }
    return try body()
  }

  /// Ends the main thread's current event and starts the event `name`.
  static func enter(_ name: @autoclosure () -> String) {
    guard isOn.load(ordering: .relaxed) else { return }
    let (name, time) = (name(), now())
    state.withLock { state in
      if let (last, start) = state.section {
        state.events.append(Event(name: last, track: .main, start: start, end: time))
      }
      state.section = (name, time)
    }
  }

  /// Stops recording.
  ///
  /// Every rank must call it.
  ///
  /// - Returns: the trace of all ranks on rank zero, in Chrome's trace event format; nil on other
  ///   ranks, and if recording was off.
  package static func turnOff(_ world: Communicator) throws -> Data? {
    guard isOn.load(ordering: .relaxed) else { return nil }
    enter("")
    isOn.store(false, ordering: .relaxed)
    let (events, origin) = state.withLock { ($0.events, $0.origin) }
    let tracks = Dictionary(events.map { ($0.track.number, $0.track.name) }) { first, _ in first }
    func microseconds(_ seconds: Double) -> JSONText {
      .number(String(format: "%.1f", seconds * 1e6))
    }
    let process = JSONText.number(world.rank)
    let name = JSONText.string("rank \(world.rank) on \(hostName())")
    var lines: [JSONText] = [
      ["ph": "M", "name": "process_name", "pid": process, "args": ["name": name]]
    ]
    for (number, name) in tracks.sorted(by: { $0.key < $1.key }) {
      lines.append([
        "ph": "M", "name": "thread_name", "pid": process, "tid": .number(number),
        "args": ["name": .string(name)],
      ])
    }
    for event in events {
      lines.append([
        "ph": "X", "name": .string(event.name), "pid": process, "tid": .number(event.track.number),
        "ts": microseconds(event.start - origin), "dur": microseconds(event.end - event.start),
      ])
    }
    return try trace(of: lines, world)
  }

  /// The trace of the lines of all ranks on rank zero; nil on the others.
  ///
  /// They are sent one rank after the other, because the total of `gather` is limited: a rank with
  /// many workers has tens of megabytes.
  private static func trace(of lines: [JSONText], _ world: Communicator) throws -> Data? {
    let text = Array(lines.map(\.text).joined(separator: ",\n").utf8)
    guard world.rank == 0 else {
      try world.send(text, to: 0)
      return nil
    }
    let all = try [text] + (1..<world.size).map { try world.receive(from: $0) }
    return Data("{\"traceEvents\":[\n".utf8) + Data(all.joined(separator: Array(",\n".utf8)))
      + Data("\n]}\n".utf8)
  }
}
