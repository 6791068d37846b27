import Foundation
import Layers
import Platform
import Testing

struct MappedPagesTests {
  /// All bytes keep their values, both in released pages and in the partial pages at the edges.
  @Test(arguments: [0..<0, 0..<100, 100..<4000, 100..<100_000, 0..<1_000_000])
  func whatWasGivenBackReadsTheSame(range: Range<Int>) throws {
    let path = NSTemporaryDirectory() + "electra-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let mapped = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    mapped.withUnsafeBytes { raw in
      #expect(raw.elementsEqual(bytes))
      releasePages(UnsafeRawBufferPointer(rebasing: raw[range]))
      #expect(raw.elementsEqual(bytes))
    }
  }
}
