import Tensors
import Testing

/// Sums and messages in bfloat16, for every upper half of a float with lower halves around ties.
struct RoundedFloatsTests {
  private static let lowerHalves: [UInt32] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
  private static let values = lowerHalves.flatMap { low in
    (0...UInt32(UInt16.max)).map { Float(bitPattern: $0 << 16 | low) }
  }

  /// VCVTNEPS2BF16, in integers.
  private static func rounded(_ value: Float) -> UInt32 {
    let bits = value.bitPattern
    if value.isNaN { return (bits | 0x0040_0000) & 0xFFFF_0000 }
    if value.magnitude < .leastNormalMagnitude { return bits & 0x8000_0000 }
    return (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000
  }

  /// A number is equal after a message to the number that is added without one.
  @Test
  func messagesAndSumsRoundAlike() {
    let count = Self.values.count
    let floats = Storage(count: 3 * count + 1)
    let (source, received, sums) = (
      floats.base, floats.base + count, floats.base + 2 * count + 1
    )
    for (i, value) in Self.values.enumerated() { source[i] = value }
    let message = Storage(count: count / 2)
    roundFloats(source, count: count, into: message.base)
    widenFloats(message.base, count: count, into: received)
    let wrong = (0..<count).count { received[$0].bitPattern != Self.rounded(source[$0]) }
    #expect(wrong == 0)
    // Twice: rounding a rounded number does not change it. Beside zeros, which do not change sums.
    let zeros = Storage(count: count)
    for addends in [source, received] {
      addFloats(addends, zeros.base, count: count, isRounded: true, into: sums)
      let wrong = (0..<count).count {
        sums[$0].bitPattern != (Float(bitPattern: Self.rounded(addends[$0])) + 0).bitPattern
      }
      #expect(wrong == 0)
    }
    addFloats(source, zeros.base, count: count, isRounded: false, into: sums)
    let changed = (0..<count).count { i in
      !source[i].isNaN && sums[i] != source[i]
    }
    #expect(changed == 0)
  }

  /// Tails of rows are rounded like full vectors; the sum may overwrite either addend.
  @Test(arguments: [1, 7, 8, 9, 17])
  func sumsRoundAtAnyCountAndIntoEitherAddend(count: Int) {
    for isRounded in [false, true] {
      for target in [0, 1] {
        let floats = Storage(count: 2 * count)
        let parts = [floats.base, floats.base + count]
        for i in 0..<count {
          parts[0][i] = 1 + Float(i) / 300
          parts[1][i] = 3 - Float(i) / 700
        }
        let expected = (0..<count).map { i in
          isRounded
            ? Float(bitPattern: Self.rounded(parts[0][i]))
              + Float(bitPattern: Self.rounded(parts[1][i]))
            : parts[0][i] + parts[1][i]
        }
        addFloats(parts[0], parts[1], count: count, isRounded: isRounded, into: parts[target])
        #expect((0..<count).map { parts[target][$0] } == expected)
      }
    }
  }
}
