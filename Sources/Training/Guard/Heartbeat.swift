import Collectives
import Foundation
import Platform

/// A rank's signs of life: `RUN/heartbeats/rank-00003`, one line of `key=value` that people and
/// scripts read when a job is gone:
///
///     rank=3 host=n2 process=977 step=120 section=reduction state=running
///
/// The line is padded and written in place, so that a reader never sees half of one.
package final class Heartbeat: Sendable {
  /// What a rank last said.
  package struct Beat: Sendable, Equatable {
    package let rank: Int
    package let host: String
    package let step: Int
    package let section: String
    package let state: String
    /// When it said so, by the file system's clock.
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
  /// Bytes of a line, with its end.
  private static let width = 256

  /// - Parameter folder: the run's; where it cannot be written there are no signs.
  package init(folder: String, rank: Int) {
    self.folder = folder
    self.rank = rank
    let directory = folder + "/heartbeats"
    mkdir(directory, 0o755)
    file = open(Self.path(folder, rank), O_WRONLY | O_CREAT, 0o644)
  }

  deinit { if file >= 0 { close(file) } }

  /// - Parameters:
  ///   - step: that is being done, from 0.
  ///   - section: the part of it, without spaces.
  ///   - state: how the rank is or has ended, without spaces.
  package func write(step: Int, section: String, state: String) {
    guard file >= 0 else { return }
    let line =
      "rank=\(rank) host=\(hostName()) process=\(getpid()) step=\(step) section=\(section) "
      + "state=\(state)"
    var bytes = Array(line.utf8.prefix(Self.width - 1))
    bytes += [UInt8](repeating: 0x20, count: Self.width - 1 - bytes.count) + [0x0A]
    _ = pwrite(file, bytes, bytes.count, 0)
  }

  /// Removes what ranks beyond `size` said in an earlier start.
  package static func clear(folder: String, from size: Int) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/heartbeats")) ?? []
    for name in names where (Int(name.dropFirst(5)) ?? -1) >= size {
      unlink("\(folder)/heartbeats/\(name)")
    }
  }

  /// What `rank` last said; nil when nothing is known of it.
  package static func last(folder: String, rank: Int) -> Beat? {
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
    return Beat(
      rank: rank, host: String(host), step: step, section: String(section), state: String(state),
      time: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9)
  }

  private static func path(_ folder: String, _ rank: Int) -> String {
    "\(folder)/heartbeats/rank-\(rank.zeroPadded(5))"
  }
}
