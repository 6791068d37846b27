import Foundation
import Layers
import TestSupport
import Testing
import Training

/// Event files are read back by a decoder that shares no code with the writer.
struct EventFileTests {
  private struct Event: Equatable {
    var time = 0.0
    var step = 0
    var version: String?
    var startsSession = false
    var scalars: [String: Float] = [:]
  }

  /// CRC-32C computed bit by bit, masked as in TFRecord.
  private func maskedChecksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    crc = ~crc
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Returns the records of a file, and checks every length and checksum.
  private func records(_ path: String) throws -> [ArraySlice<UInt8>] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var rest = bytes[...]
    var records: [ArraySlice<UInt8>] = []
    while !rest.isEmpty {
      try #require(rest.count >= 16)
      let length = Int(number(rest.prefix(8)))
      #expect(number(rest.dropFirst(8).prefix(4)) == UInt64(maskedChecksum(rest.prefix(8))))
      let record = rest.dropFirst(12).prefix(length)
      try #require(rest.count >= 16 + length)
      #expect(
        number(rest.dropFirst(12 + length).prefix(4)) == UInt64(maskedChecksum(record)))
      records.append(record)
      rest = rest.dropFirst(16 + length)
    }
    return records
  }

  /// Returns the fields of a protocol buffer: number and, by wire type, value or bytes.
  private func fields(_ bytes: ArraySlice<UInt8>) throws -> [(Int, ArraySlice<UInt8>)] {
    var rest = bytes
    func variable() -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 0x7F) << shift
        shift += 7
        if byte & 0x80 == 0 { break }
      }
      return value
    }
    var result: [(Int, ArraySlice<UInt8>)] = []
    while !rest.isEmpty {
      let key = variable()
      switch key & 7 {
      case 0:
        let value = variable()
        result.append(
          (Int(key >> 3), (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }[...]))
      case 1, 2, 5:
        let count = key & 7 == 1 ? 8 : key & 7 == 5 ? 4 : Int(variable())
        try #require(rest.count >= count)
        result.append((Int(key >> 3), rest.prefix(count)))
        rest = rest.dropFirst(count)
      default: Issue.record("a field of kind \(key & 7)")
      }
    }
    return result
  }

  private func events(_ path: String) throws -> [Event] {
    try records(path).map { record in
      var event = Event()
      for (field, bytes) in try fields(record) {
        switch field {
        case 1: event.time = Double(bitPattern: number(bytes))
        case 2: event.step = Int(number(bytes))
        case 3: event.version = String(decoding: bytes, as: UTF8.self)
        case 5:
          for (_, value) in try fields(bytes) {
            let parts = try fields(value)
            #expect(parts.map(\.0) == [1, 2])
            event.scalars[String(decoding: parts[0].1, as: UTF8.self)] = Float(
              bitPattern: UInt32(number(parts[1].1)))
          }
        case 7:
          #expect(Array(bytes) == [8, 1])
          event.startsSession = true
        default: Issue.record("an event with field \(field)")
        }
      }
      return event
    }
  }

  private func log(_ folder: TemporaryFolder) -> MetricsLog {
    MetricsLog(folder: folder.path) { Issue.record("\($0)") }
  }

  private func line(
    _ step: Int, loss: Double, _ split: MetricsLine.Split = .training
  ) -> MetricsLine {
    var line = MetricsLine(step: step, split: split)
    line.append(.loss, loss)
    return line
  }

  @Test
  func everyNumberOfALineIsAPoint() throws {
    let folder = try TemporaryFolder()
    let log = log(folder)
    let before = Date().timeIntervalSince1970
    var training = MetricsLine(step: 300, split: .training, tokens: 70_000)
    training.append([(.loss, -1.5), (.discriminatorAUC, .nan)])
    log.append(training)
    log.append(line(300, loss: 2.25, .heldOut))
    // A line with texts only has no point.
    var words = MetricsLine(step: 300, split: .health)
    words.append(.sentence, text: "ill")
    log.append(words)
    #expect(!FileManager.default.fileExists(atPath: folder.file("health")))
    let own = try events(folder.file("events.out.tfevents.electra.00001"))
    #expect(own.map(\.version) == ["brain.Event:2", nil, nil])
    #expect(own.map(\.startsSession) == [false, true, false])
    #expect(own[2].step == 300 && own[2].time >= before)
    #expect(own[2].scalars == ["tokens": 70_000, "loss": -1.5])
    let heldOut = try events(folder.file("held_out/events.out.tfevents.electra.00001"))
    #expect(heldOut.map(\.version) == ["brain.Event:2", nil, nil])
    #expect(heldOut[2].scalars == ["loss": 2.25])
  }

  /// Returns the names of the event files in a folder.
  private func files(_ folder: TemporaryFolder, _ split: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file(split))
      .filter { $0.contains("tfevents") }.sorted()
  }

  /// A new reader of the folder finds every point once.
  ///
  /// The points are in a file that sorts after the older ones. Those are kept, because a running
  /// TensorBoard goes from file to file in this order.
  @Test(arguments: ["events.out.tfevents.electra.00001", "events.out.tfevents.electra"])
  func aResumedRunHasEveryPointOnceInANewFile(old: String) throws {
    let folder = try TemporaryFolder()
    let first = log(folder)
    for step in 1...5 {
      first.append(line(step, loss: Double(step)))
    }
    for step in [2, 5] {
      first.append(line(step, loss: 9, .heldOut))
    }
    for split in ["", "held_out/"] {
      let path = folder.file(split + "events.out.tfevents.electra.00001")
      // The run is killed in the middle of a record.
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try FileManager.default.removeItem(atPath: path)
      try folder.write(whole.dropLast(3), split + old)
    }
    let second = log(folder)
    second.cut(afterStep: 3)
    for step in 4...6 {
      second.append(line(step, loss: Double(10 * step)))
    }
    func newest(_ split: String) throws -> [Event] {
      let names = try files(folder, split)
      #expect(names.count == 2 && names[0] == old)
      #expect(try folder.bytes("\(split)/\(names[0])").isEmpty)
      return try events(folder.file("\(split)/\(names[1])"))
    }
    let points = try newest("").dropFirst(2)
    #expect(points.map(\.step) == [1, 2, 3, 4, 5, 6])
    #expect(points.map { $0.scalars["loss"] } == [1, 2, 3, 40, 50, 60])
    #expect(try newest("held_out").dropFirst(2).map(\.step) == [2])
  }

  /// A run that ended before its first checkpoint starts again, and TensorBoard drops the old
  /// points.
  @Test
  func aRunThatBeginsAgainEmptiesTheCurves() throws {
    let folder = try TemporaryFolder()
    for start in 1...3 {
      let log = log(folder)
      log.cut(afterStep: 0)
      if start < 3 {
        log.append(line(1, loss: 1))
        log.append(line(1, loss: 9, .heldOut))
      }
    }
    for split in ["", "held_out"] {
      let all = try files(folder, split).map { try events(folder.file("\(split)/\($0)")) }
      #expect(all.map { $0.map(\.startsSession) } == [[], [], [false, true]])
    }
  }
}
