import Collectives
import Foundation
import Platform

/// The heartbeat file of a rank, `RUN/heartbeats/rank-00003`, which shows what the rank is doing.
///
///     rank=3 host=n2 process=977 step=120 section=reduction state=running
///
/// People, scripts and watchdogs read it, also after the job has ended. Each write replaces the
/// line in place, padded to a fixed length and with one system call, so that a reader sees the old
/// line or the new one. The file's modification time is the time of the heartbeat.
package final class Heartbeat: Sendable {
  /// The contents of a heartbeat file.
  package struct Record: Sendable, Equatable {
    package let rank: Int
    package let host: String
    package let step: Int
    package let section: String
    package let state: String
    /// The time of the heartbeat in seconds, by the file system's clock.
    package let time: Double

    package init(
      rank: Int, host: String, step: Int, section: String, state: String, time: Double
    ) {
      self.rank = rank
      self.host = host
      self.step = step
      self.section = section
      self.state = state
      self.time = time
    }
  }

  private let folder: String
  private let rank: Int
  private let file: Int32
  /// The bytes of a line, with its newline.
  private static let width = 256

  /// Creates the file, or opens that of an earlier start.
  ///
  /// - Parameters:
  ///   - folder: the run's folder. If it is not writable, `write` does nothing.
  ///   - rank: this rank's number.
  package init(folder: String, rank: Int) {
    self.folder = folder
    self.rank = rank
    let directory = folder + "/heartbeats"
    mkdir(directory, 0o755)
    file = open(Self.path(folder, rank), O_WRONLY | O_CREAT, 0o644)
  }

  deinit { if file >= 0 { close(file) } }

  /// Replaces the line.
  ///
  /// A failure is ignored: a missing heartbeat must not end a run.
  ///
  /// - Parameters:
  ///   - step: the current step, counted from 0.
  ///   - section: the current part of the step, without spaces.
  ///   - state: `running`, or how the rank has ended; without spaces.
  package func write(step: Int, section: String, state: String) {
    guard file >= 0 else { return }
    let line =
      "rank=\(rank) host=\(hostName()) process=\(getpid()) step=\(step) section=\(section) "
      + "state=\(state)"
    var bytes = Array(line.utf8.prefix(Self.width - 1))
    bytes += [UInt8](repeating: 0x20, count: Self.width - 1 - bytes.count) + [0x0A]
    _ = pwrite(file, bytes, bytes.count, 0)
  }

  /// Removes the files of ranks from `size` on, which an earlier start with more ranks left.
  package static func clear(folder: String, from size: Int) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/heartbeats")) ?? []
    for name in names where (Int(name.dropFirst(5)) ?? -1) >= size {
      unlink("\(folder)/heartbeats/\(name)")
    }
  }

  /// Reads the last heartbeat of `rank`; nil if its file is missing, unreadable or incomplete.
  package static func last(folder: String, rank: Int) -> Record? {
    let path = path(folder, rank)
    var status = stat()
    guard stat(path, &status) == 0,
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return nil }
    var fields: [Substring: Substring] = [:]
    for field in text.split(whereSeparator: \.isWhitespace) {
      let parts = field.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = parts[1] }
    }
    guard let host = fields["host"], let step = fields["step"].flatMap({ Int($0) }),
      let section = fields["section"], let state = fields["state"]
    else { return nil }
    return Record(
      rank: rank, host: String(host), step: step, section: String(section), state: String(state),
      time: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9)
  }

  private static func path(_ folder: String, _ rank: Int) -> String {
    "\(folder)/heartbeats/rank-\(rank.zeroPadded(5))"
  }
}
