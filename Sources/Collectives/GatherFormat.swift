import Platform
import Tensors

/// The form in which weights are sent: some ranges of the flat vector in bfloat16, the rest in
/// float32.
///
/// A rank that receives a rounded weight has it as a float again. Ranks may compute with such
/// weights only in ways that round them anyway; then the owner, which keeps the weight itself, has
/// the same results.
package struct GatherFormat: Sendable {
  /// The ranges that are sent in bfloat16, in ascending order and disjoint.
  private let roundedRanges: [Range<Int>]

  package init(roundedRanges: [Range<Int>]) { self.roundedRanges = roundedRanges }

  /// The format in which everything is sent as it lies in memory.
  package static let float32 = GatherFormat(roundedRanges: [])

  /// Whether nothing is sent in bfloat16.
  package var isFloat32: Bool { roundedRanges.isEmpty }

  /// The bytes of `range` as it is sent.
  package func bytes(of range: Range<Int>) -> Int {
    segments(of: range).reduce(0) { $0 + ($1.isRounded ? 2 : 4) * $1.range.count }
  }

  /// Writes `range` of `vector` to `message` as it is sent.
  func encode(
    _ range: Range<Int>, of vector: UnsafeMutablePointer<Float>,
    into message: UnsafeMutableRawPointer
  ) {
    var target = message
    for (range, isRounded) in segments(of: range) {
      let source = vector + range.lowerBound
      if isRounded {
        roundFloats(source, count: range.count, into: target)
      } else {
        target.copyMemory(from: source, byteCount: 4 * range.count)
      }
      target += (isRounded ? 2 : 4) * range.count
    }
  }

  /// Writes a message that `encode` made of `range` to the same range of `vector`.
  func decode(
    _ message: UnsafeMutableRawPointer, to range: Range<Int>,
    of vector: UnsafeMutablePointer<Float>
  ) {
    var source = message
    for (range, isRounded) in segments(of: range) {
      let target = vector + range.lowerBound
      if isRounded {
        widenFloats(source, count: range.count, into: target)
      } else {
        UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * range.count)
      }
      source += (isRounded ? 2 : 4) * range.count
    }
  }

  /// The CRC-32C of `range` of `vector` as it is sent: equal on all ranks after a gather.
  package func checksum(of range: Range<Int>, of vector: UnsafeMutablePointer<Float>) -> UInt32 {
    var checksum = CRC32C()
    let block = 4096
    withUnsafeTemporaryAllocation(byteCount: 4 * block, alignment: 4) { message in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: block) {
        let part = start..<min(start + block, range.upperBound)
        guard let target = message.baseAddress else { return }
        encode(part, of: vector, into: target)
        checksum.add(UnsafeRawBufferPointer(rebasing: message[..<bytes(of: part)]))
      }
    }
    return checksum.value
  }

  /// The segments of `range` that are rounded or not, in ascending order.
  private func segments(of range: Range<Int>) -> [(range: Range<Int>, isRounded: Bool)] {
    var result: [(range: Range<Int>, isRounded: Bool)] = []
    var start = range.lowerBound
    let first = firstPosition(in: roundedRanges.count) {
      roundedRanges[$0].upperBound > range.lowerBound
    }
    for rounded in roundedRanges[first...].map({ $0.clamped(to: range) }) {
      if rounded.isEmpty { break }
      if start < rounded.lowerBound { result.append((start..<rounded.lowerBound, false)) }
      result.append((rounded, true))
      start = rounded.upperBound
    }
    if start < range.upperBound { result.append((start..<range.upperBound, false)) }
    return result
  }
}
