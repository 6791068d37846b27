import Foundation
import Layers
import Platform

/// A TensorBoard event file: records of scalars behind a version record.
///
/// Every record is framed as TFRecord does: its length (8 bytes) and that one's checksum, its bytes
/// and theirs. The bytes are a protocol buffer, `Event` of TensorFlow's `event.proto`, of which five
/// fields are needed, so they are written here.
enum EventFile {
  /// The beginning of the names; TensorBoard looks for `tfevents` in them.
  ///
  /// Runs of earlier versions have one file of this very name.
  private static let prefix = "events.out.tfevents.electra"

  /// The name that follows those of `names`.
  ///
  /// TensorBoard reads files in the order of their names, and
  /// does not come back to one that it has read.
  static func name(after names: [String]) -> String {
    let numbers = names.map { Int($0.dropFirst(prefix.count + 1)) ?? 0 }
    let digits = String((numbers.max() ?? 0) + 1)
    return "\(prefix).\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)"
  }

  /// The event files in `folder`.
  static func names(in folder: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return entries.filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// What every event file begins with: the version, and a session that starts at step 0, for which a
  /// TensorBoard that is open drops the points of earlier files.
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

  /// A point of each metric of a line, in the order of their names; nil for a line without any.
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

  /// The checksum as TFRecord stores it: turned by 15 bits, plus a constant.
  private static func masked(_ bytes: Data) -> UInt32 {
    let checksum = bytes.withUnsafeBytes { CRC32C.of($0) }
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

/// A protocol buffer in the making.
///
/// Each field is a key, number times eight plus the kind of what
/// follows, and its value.
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

  /// A number of variable length: seven bits a byte, lowest first.
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
