/// The SHA-256 digest (FIPS 180-4) of bytes in memory.
package enum SHA256 {
  /// The digest as 64 hexadecimal digits.
  package static func hexadecimal(_ bytes: [UInt8]) -> String {
    var state = initialState
    var block = [UInt32](repeating: 0, count: 64)
    for start in stride(from: 0, to: bytes.count - bytes.count % 64, by: 64) {
      absorb(bytes[start..<start + 64], into: &state, &block)
    }
    var tail = Array(bytes[(bytes.count - bytes.count % 64)...]) + [0x80]
    while tail.count % 64 != 56 { tail.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: (UInt64(bytes.count) * 8) >> UInt64(shift)))
    }
    for start in stride(from: 0, to: tail.count, by: 64) {
      absorb(tail[start..<start + 64], into: &state, &block)
    }
    return state.map(hexadecimal).joined()
  }

  private static func hexadecimal(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Mixes one block of 64 bytes into the state (section 6.2.2).
  private static func absorb(
    _ bytes: ArraySlice<UInt8>, into state: inout [UInt32], _ block: inout [UInt32]
  ) {
    for index in 0..<16 {
      let place = bytes.startIndex + 4 * index
      block[index] = bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for index in 16..<64 {
      let a = block[index - 15]
      let b = block[index - 2]
      let small = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3
      let large = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10
      block[index] = block[index - 16] &+ small &+ block[index - 7] &+ large
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let large = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = e & f ^ ~e & g
      let first = h &+ large &+ choice &+ constants[index] &+ block[index]
      let small = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let majority = a & b ^ a & c ^ b & c
      (h, g, f, e) = (g, f, e, d &+ first)
      (d, c, b, a) = (c, b, a, first &+ small &+ majority)
    }
    for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
  }

  /// The first 32 bits of the fractional parts of the square roots of the first eight primes.
  private static let initialState = primes.prefix(8).map { fraction(of: Double($0).squareRoot()) }
  /// The same of the cube roots of the first 64 primes.
  private static let constants = primes.map { fraction(of: cubeRoot($0)) }
  private static let primes = (2...311).filter { n in (2..<n).allSatisfy { n % $0 != 0 } }

  private static func fraction(of root: Double) -> UInt32 {
    UInt32((root - root.rounded(.down)) * 0x1p32)
  }

  /// By Newton's method, which has converged to the last bits long before the end.
  private static func cubeRoot(_ number: Int) -> Double {
    (0..<60).reduce(Double(number)) { root, _ in
      root - (root * root * root - Double(number)) / (3 * root * root)
    }
  }
}
