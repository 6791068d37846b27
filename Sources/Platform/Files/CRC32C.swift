/// The CRC-32C (Castagnoli) checksum of shards, checkpoints and event files.
///
/// It detects every burst error of up to 32 bits, and misses other damage with probability 2^-32.
/// The loop processes eight bytes at a time with tables ("slicing-by-8", Kounavis and Berry 2005).
///
///     var checksum = CRC32C()
///     checksum.add(bytes)
///     checksum.value
package struct CRC32C: Sendable {
  private var state: UInt32 = ~0

  package init() {}

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  /// Adds the next bytes; cuts between calls do not affect the result.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    Self.tables.withUnsafeBufferPointer { tables in
      var crc = state
      var index = 0
      while index + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
        let mixed = word ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          let entry = Int(truncatingIfNeeded: (mixed >> UInt64(8 * byte)) & 255)
          crc ^= tables[(7 - byte) << 8 | entry]
        }
        index += 8
      }
      while index < bytes.count {
        crc = tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ (crc >> 8)
        index += 1
      }
      state = crc
    }
  }

  /// The checksum of `bytes` alone.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = CRC32C()
    checksum.add(bytes)
    return checksum.value
  }

  /// Eight tables of 256 entries, end to end: table k has the effect of a byte followed by k bytes.
  ///
  /// 0x82F63B78 is the Castagnoli polynomial with its bits reversed.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in 0..<256 as Range<UInt32> {
      var crc = byte
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F6_3B78 }
      tables.append(crc)
    }
    for index in 256..<2048 {
      let before = tables[index - 256]
      tables.append(tables[Int(before & 255)] ^ (before >> 8))
    }
    return tables
  }()
}
