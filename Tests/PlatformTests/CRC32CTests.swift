import Platform
import TestSupport
import Testing

struct CRC32CTests {
  /// The definition, one bit at a time.
  private func plain(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F6_3B78 }
    }
    return ~crc
  }

  private func fast(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.of($0) } }

  /// From RFC 3720, appendix B.4, and the usual check value.
  @Test
  func publishedChecksumsAreMet() {
    #expect(fast([UInt8]("123456789".utf8)) == 0xE306_9283)
    #expect(fast(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(fast(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(fast(Array(0..<32)) == 0x46DD_794E)
    #expect(fast([]) == 0)
  }

  /// Whole words and the remaining bytes, at every cut.
  @Test
  func partsAddUpToTheWholeWhereverItIsCut() {
    var draws = Draws(state: 1)
    let bytes = (0..<41).map { _ in UInt8.random(in: 0...255, using: &draws) }
    for count in 0...bytes.count {
      let expected = plain(Array(bytes[..<count]))
      for cut in 0...count {
        var checksum = CRC32C()
        bytes.withUnsafeBytes {
          checksum.add(UnsafeRawBufferPointer(rebasing: $0[..<cut]))
          checksum.add(UnsafeRawBufferPointer(rebasing: $0[cut..<count]))
        }
        #expect(checksum.value == expected, "\(cut) of \(count)")
      }
    }
  }
}
