import Foundation

/// A random number generator with the same numbers in every run (SplitMix64).
package struct Draws: RandomNumberGenerator {
  private var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Draws {
  /// How many corrupted files a test tries; ELECTRA_MUTATIONS=1000000 tries more.
  package static let mutationCount =
    Int(ProcessInfo.processInfo.environment["ELECTRA_MUTATIONS"] ?? "") ?? 10_000

  /// Bytes with a special meaning in text, JSON or UTF-8.
  private static let special: [UInt8] = [
    0, 9, 10, 13, 32, 34, 44, 58, 91, 93, 123, 125, 0xC3, 0xFF,
  ]

  /// Corrupts a file as disks, transfers and editors do.
  ///
  /// It changes a bit or a byte, removes, inserts, repeats or overwrites bytes, or truncates the
  /// file.
  package mutating func mutate(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let index = Int.random(in: 0..<bytes.count, using: &self)
    let range = index..<min(bytes.count, index + Int.random(in: 1...40, using: &self))
    switch Int.random(in: 0..<8, using: &self) {
    case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
    case 1: bytes[index] = UInt8.random(in: 0...255, using: &self)
    case 2: bytes[index] = Self.special.randomElement(using: &self) ?? 0
    case 3: bytes.insert(Self.special.randomElement(using: &self) ?? 0, at: index)
    case 4: bytes.removeLast(index + 1)
    case 5: bytes.removeSubrange(range)
    case 6: bytes.replaceSubrange(range, with: repeatElement(0xFF, count: range.count))
    default:
      let target = Int.random(in: 0...bytes.count, using: &self)
      bytes.insert(contentsOf: bytes[range], at: target)
    }
  }
}
