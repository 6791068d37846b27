/// Dropout as a function of where an element stands.
///
/// Every element is dropped with the same probability, decided on 16 random bits; those that stay
/// are scaled so that the mean is kept. A stream belongs to one sequence and one place in the model;
/// its rows are the tokens of the sequence, or for attention the (head, query) pairs.
package struct DropoutStream: Sendable {
  private let random: RandomStream
  private let threshold: UInt32
  private let scale: Float

  /// - Parameter rate: the probability of dropping, in [0, 1); it is rounded to a multiple of 2^-16.
  package init(_ random: RandomStream, rate: Float) {
    precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate)")
    self.random = random
    threshold = UInt32((rate * 65536).rounded())
    scale = 65536 / Float(65536 - threshold)
  }

  /// Writes the factors (0 or the scale) of row `row` of width `width`.
  ///
  /// Chunks of 64 elements use the 16-bit halves of the four words of eight counters; a row begins
  /// at a chunk. `factors` holds `paddedWidth(width)` floats.
  @inline(__always)
  func factors(row: Int, width: Int, into factors: UnsafeMutablePointer<Float>) {
    let chunks = (width + 63) / 64
    for chunk in 0..<chunks {
      let counter = UInt32(truncatingIfNeeded: (row &* chunks &+ chunk) &* 8)
      let words = random.blocks(from: counter)
      let target = factors + 64 * chunk
      target.store(factor(words.0 & 0xFFFF), at: 0)
      target.store(factor(words.0 &>> 16), at: 8)
      target.store(factor(words.1 & 0xFFFF), at: 16)
      target.store(factor(words.1 &>> 16), at: 24)
      target.store(factor(words.2 & 0xFFFF), at: 32)
      target.store(factor(words.2 &>> 16), at: 40)
      target.store(factor(words.3 & 0xFFFF), at: 48)
      target.store(factor(words.3 &>> 16), at: 56)
    }
  }

  @inline(__always)
  private func factor(_ bits: RandomStream.Words) -> Vector {
    // Compared as signed numbers, for which there is an instruction; both are below 2^16.
    let signed = unsafeBitCast(bits, to: SIMD8<Int32>.self)
    let keeps = signed .>= SIMD8<Int32>(repeating: Int32(threshold))
    return Vector(repeating: 0).replacing(with: Vector(repeating: scale), where: keeps)
  }

  /// The floats that a row of factors takes: whole chunks of 64.
  static func paddedWidth(_ width: Int) -> Int { (width + 63) / 64 * 64 }
}

/// A row of dropout factors on the stack, all one without dropout.
@inline(__always)
func withDropoutFactors(
  width: Int, _ body: (UnsafeMutablePointer<Float>) -> Void
) {
  let padded = DropoutStream.paddedWidth(width)
  withUnsafeTemporaryAllocation(of: Float.self, capacity: padded) { buffer in
    guard let base = buffer.baseAddress else { return }
    base.update(repeating: 1, count: padded)
    body(base)
  }
}

extension Tensor {
  /// Multiplies by the dropout factors; row r of the tensor is row `firstRow` + r of the stream.
  /// Writes into `output`, which may be this tensor.
  package func applyDropout(_ dropout: DropoutStream?, firstRow: Int = 0, into output: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.dropout, start) }
    guard let dropout else {
      if output.base != base { output.copy(from: self) }
      return
    }
    withDropoutFactors(width: columns) { factors in
      for r in 0..<rows {
        dropout.factors(row: firstRow + r, width: columns, into: factors)
        let (source, target) = (row(r), output.row(r))
        forEachVector(columns) { i, tail in
          target.store(source.load(at: i, tail: tail) * factors.vector(at: i), at: i, tail: tail)
        }
      }
    }
  }
}
