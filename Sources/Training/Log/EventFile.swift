import Foundation
import Layers
import Platform

/// A TensorBoard event file: a version record, followed by records of scalars.
///
/// Each record has TFRecord framing: its length (8 bytes), the checksum of the length, its bytes,
/// and the checksum of the bytes. The bytes are a protocol buffer, `Event` of TensorFlow's
/// `event.proto`. Only five of its fields are needed, so this file encodes them without a library.
enum EventFile {
  /// The prefix of the file names; TensorBoard reads files whose name contains `tfevents`.
  ///
  /// Runs of earlier versions have one file with exactly this name.
  private static let prefix = "events.out.tfevents.electra"

  /// Returns a name that sorts after all of `names`.
  ///
  /// TensorBoard reads files in the order of their names, and does not reread a file that it has
  /// left.
  static func name(after names: [String]) -> String {
    let numbers = names.map { Int($0.dropFirst(prefix.count + 1)) ?? 0 }
    return "\(prefix).\(((numbers.max() ?? 0) + 1).zeroPadded(5))"
  }

  /// The names of the event files in `folder`, sorted; empty if the folder does not exist.
  static func names(in folder: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return entries.filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// The first records of every event file: the version, and a session start at step 0.
  ///
  /// On a session start, a running TensorBoard drops the points of earlier files from that step on.
  static var header: Data {
    var version = Message()
    version.add(1, 0.0)
    version.add(3, Data("brain.Event:2".utf8))
    var session = Message()
    session.add(1, 1)
    var start = Message()
    start.add(1, Date().timeIntervalSince1970)
    start.add(7, session.bytes)
    return framed(version.bytes) + framed(start.bytes)
  }

  /// Encodes the finite metrics of a line, sorted by name; nil for a line without any.
  static func record(of line: MetricsLine) -> Data? {
    var scalars = line.values.filter(\.number.isFinite).map { ($0.name, $0.number) }
    if let tokens = line.tokens { scalars.append((MetricName.tokens.rawValue, Double(tokens))) }
    guard !scalars.isEmpty else { return nil }
    var summary = Message()
    for (name, value) in scalars.sorted(by: { $0.0 < $1.0 }) {
      var scalar = Message()
      scalar.add(1, Data(name.utf8))
      scalar.add(2, Float(value))
      summary.add(1, scalar.bytes)
    }
    var event = Message()
    event.add(1, line.time ?? 0)
    event.add(2, line.step)
    event.add(5, summary.bytes)
    return framed(event.bytes)
  }

  private static func framed(_ bytes: Data) -> Data {
    let length = Data(littleEndian: UInt64(bytes.count))
    return length + Data(littleEndian: masked(length)) + bytes
      + Data(littleEndian: masked(bytes))
  }

  /// The checksum as TFRecord stores it: CRC-32C rotated right by 15 bits, plus a constant.
  private static func masked(_ bytes: Data) -> UInt32 {
    let checksum = bytes.withUnsafeBytes { CRC32C.of($0) }
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

/// A protocol buffer under construction.
///
/// Each field is a key followed by a value. The key is the field number times eight plus the wire
/// type: 0 variable-length integer, 1 eight bytes, 2 length and bytes, 5 four bytes.
private struct Message {
  private(set) var bytes = Data()

  mutating func add(_ field: UInt64, _ value: Int) {
    append(variable: field << 3)
    append(variable: UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: UInt64, _ value: Double) {
    append(variable: field << 3 | 1)
    bytes += Data(littleEndian: value.bitPattern)
  }

  mutating func add(_ field: UInt64, _ value: Data) {
    append(variable: field << 3 | 2)
    append(variable: UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: UInt64, _ value: Float) {
    append(variable: field << 3 | 5)
    bytes += Data(littleEndian: value.bitPattern)
  }

  /// Appends a variable-length integer: seven bits per byte, lowest first; all bytes but the last
  /// have their top bit set.
  private mutating func append(variable value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}

extension Data {
  fileprivate init(littleEndian value: some FixedWidthInteger) {
    self = Swift.withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}
