/// Dropout whose mask is a function of (seed, step, sequence, dropout site, element).
///
/// Each element is dropped with the same probability, decided by 16 random bits; the others are
/// scaled so that the expected value is unchanged. A stream belongs to one sequence and one dropout
/// site of the model. Its rows are the tokens of the sequence or, in attention, the (head, query)
/// pairs. The backward pass computes the mask again instead of storing it.
///
/// `Tensor.normalizeRows` includes the dropout of residual branches; `applyDropout` is for
/// embeddings, attention and heads.
package struct DropoutStream: Sendable {
  private let random: RandomStream
  private let threshold: UInt32
  /// The factor of elements that are kept.
  package let scale: Float

  /// Creates the stream; `rate` in [0, 1) is the probability of dropping, rounded to a multiple of
  /// 2^-16 below 1.
  package init(_ random: RandomStream, rate: Float) {
    precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate)")
    self.random = random
    // A rate that rounds to 1 would make the scale infinite.
    threshold = min(65535, UInt32((rate * 65536).rounded()))
    scale = 65536 / Float(65536 - threshold)
  }

  /// Writes the factors (0 or the scale) of row `row` of width `width`.
  ///
  /// A chunk of 64 elements uses eight counters of the stream, each with four words of two 16-bit
  /// halves. Every row starts a new chunk. `factors` has space for `paddedWidth(width)` floats.
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
    // AVX2 compares only signed integers; both are below 2^16, so the sign does not matter.
    let signed = unsafeBitCast(bits, to: SIMD8<Int32>.self)
    let keeps = signed .>= SIMD8<Int32>(repeating: Int32(threshold))
    return Vector(repeating: 0).replacing(with: Vector(repeating: scale), where: keeps)
  }

  /// `width` rounded up to whole chunks of 64.
  static func paddedWidth(_ width: Int) -> Int { (width + 63) / 64 * 64 }
}

/// Calls `body` with a temporary row of dropout factors, initially all one.
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

extension Operand {
  /// Writes the elements that dropout keeps, unscaled, and zeros for the others into `output`.
  ///
  /// The caller multiplies by `dropout.scale` where it costs nothing. So a rounded operand stays
  /// exact. Rows are as in `Tensor.applyDropout`.
  package func keep(_ dropout: DropoutStream, firstRow: Int, into output: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.dropout, start) }
    precondition(output.rows == rows && output.columns == columns, "shapes differ")
    switch (self, output) {
    case (.float32(let source), .float32(let target)):
      source.keepRows(dropout, firstRow: firstRow, into: target)
    case (.bfloat16(let source), .bfloat16(let target)):
      source.keepRows(dropout, firstRow: firstRow, into: target)
    default: preconditionFailure("operands of two arithmetics")
    }
  }
}

extension OperandElements {
  fileprivate func keepRows(_ dropout: DropoutStream, firstRow: Int, into target: Self) {
    withDropoutFactors(width: columns) { factors in
      for r in 0..<rows {
        dropout.factors(row: firstRow + r, width: columns, into: factors)
        forEachVector(columns) { i, tail in
          keep(row: r, at: i, tail: tail, where: factors.vector(at: i) .> 0, in: target)
        }
      }
    }
  }
}

extension Tensor {
  /// Multiplies by the dropout factors and writes the result into `output`, which may be this
  /// tensor.
  ///
  /// Row r of the tensor uses row `firstRow` + r of the stream. Without dropout the values are
  /// copied. The backward pass is the same call on the gradient.
  package func applyDropout(_ dropout: DropoutStream?, firstRow: Int = 0, into output: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.dropout, start) }
    precondition(output.rows == rows && output.columns == columns, "shapes differ")
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
