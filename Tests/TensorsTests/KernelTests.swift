import Foundation
import Tensors
import TestSupport
import Testing

/// Every kernel against the textbook in Double, at all alignments and at lengths around the width of
/// a vector.
struct KernelTests {
  static let lengths = Array(0...67)

  /// A row of `count` random numbers that begins `offset` floats behind a cache line.
  private func row(_ count: Int, offset: Int, scale: Float = 3, seed: Int = 1) -> (Storage, Tensor)
  {
    let storage = Storage(count: count + offset + 1)
    let tensor = storage[offset..<offset + count]
    randomize(tensor, scale: scale, seed: seed)
    return (storage, tensor)
  }

  private func values(_ tensor: Tensor) -> [Double] {
    (0..<tensor.count).map { Double(tensor.base[$0]) }
  }

  /// Runs `body` at every length and a moving offset, so that all 16 offsets meet every tail.
  private func forEachShape(_ body: (_ count: Int, _ offset: Int) -> Void) {
    for count in Self.lengths { for offset in 0..<16 { body(count, offset) } }
  }

  private func expectClose(
    _ actual: [Double], _ expected: [Double], _ tolerance: Double,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let scale = expected.reduce(1e-30) { max($0, abs($1)) }
    let worst = zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(worst <= tolerance * scale, sourceLocation: location)
  }

  @Test
  func geluAndItsSlopeAreExact() {
    forEachShape { count, offset in
      let (s1, x) = row(count, offset: offset, scale: 6)
      let (s2, bias) = row(count, offset: offset, seed: 2)
      let (s3, output) = row(count, offset: offset)
      let inputs = zip(values(x), values(bias)).map { Double(Float($0) + Float($1)) }
      x.gelu(bias: bias, into: output)
      let cumulative = inputs.map { 0.5 * erfc(-$0 / 2.0.squareRoot()) }
      let density = inputs.map { exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
      expectClose(values(output), zip(inputs, cumulative).map(*), 3e-7)
      expectClose(values(x), inputs.indices.map { cumulative[$0] + inputs[$0] * density[$0] }, 3e-7)
      withExtendedLifetime((s1, s2, s3)) {}
    }
  }

  @Test
  func theTailsOfGeluKeepTheirPrecision() {
    let storage = Storage(count: 400)
    let (x, bias) = (storage[0..<100], storage[100..<200])
    for i in 0..<100 { x.base[i] = -0.12 * Float(i) }
    let inputs = values(x)
    x.gelu(bias: bias, into: storage[200..<300])
    for (input, output) in zip(inputs, values(storage[200..<300])) where input > -11 && input < 0 {
      let exact = input * 0.5 * erfc(-input / 2.0.squareRoot())
      #expect(abs(output / exact - 1) < 1e-5, "at \(input)")
    }
  }

  @Test
  func softmaxRowsSumToOneAndMatch() {
    forEachShape { count, offset in
      let (storage, x) = row(count, offset: offset, scale: 20)
      let powers = values(x).map { exp($0 - (values(x).max() ?? 0)) }
      x.softmaxRows()
      expectClose(values(x), powers.map { $0 / powers.reduce(0, +) }, 5e-7)
      withExtendedLifetime(storage) {}
    }
  }

  @Test
  func normalizedRowsMatchTheFormula() {
    forEachShape { count, offset in
      guard count > 1 else { return }
      let tensors = (1...6).map { row(count, offset: offset, seed: $0) }
      let (x, residual, bias) = (tensors[0].1, tensors[1].1, tensors[2].1)
      let (scale, shift, output) = (tensors[3].1, tensors[4].1, tensors[5].1)
      let z = zip(zip(values(x), values(bias)), values(residual)).map { $0.0 + $0.1 + $1 }
      let mean = z.reduce(0, +) / Double(count)
      let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      let deviations = Storage(count: 1)
      x.normalizeRows(
        BranchSum(bias: bias, dropout: nil, residual: residual),
        NormalizationParameters(scale: scale, shift: shift, epsilon: 1e-12),
        inverseDeviations: deviations.base, into: output)
      let normalized = z.map { ($0 - mean) / variance.squareRoot() }
      expectClose(values(x), normalized, 3e-6)
      expectClose(
        values(output),
        normalized.indices.map { normalized[$0] * values(scale)[$0] + values(shift)[$0] }, 3e-6)
      withExtendedLifetime(tensors.map(\.0)) {}
    }
  }

  @Test
  func anElementHasTheSameBitsWhereverItStands() {
    let (s1, long) = row(64, offset: 0)
    let before = (0..<64).map { long.base[$0] }
    let bias = Storage(count: 80)
    let whole = Storage(count: 64)
    long.gelu(bias: bias[0..<64], into: whole[0..<64])
    for start in 0..<16 {
      for count in [1, 7, 8, 13, 40] {
        let part = Storage(count: count + start)
        let (x, output) = (part[start..<start + count], Storage(count: count))
        for i in 0..<count { x.base[i] = before[start + i] }
        x.gelu(bias: bias[0..<count], into: output[0..<count])
        for i in 0..<count { #expect(output.base[i] == whole.base[start + i]) }
      }
    }
    withExtendedLifetime(s1) {}
  }

  @Test
  func sumsOfSquaresMatch() {
    forEachShape { count, offset in
      let (storage, x) = row(count, offset: offset)
      let exact = values(x).reduce(0) { $0 + $1 * $1 }
      #expect(abs(sumOfSquares(x.base, count: count) - exact) <= 1e-12 * max(exact, 1))
      withExtendedLifetime(storage) {}
    }
  }

  @Test
  func adamMatchesTheFormula() {
    forEachShape { count, offset in
      let tensors = (1...4).map { row(count, offset: offset, scale: 1, seed: $0) }
      let (w, g, m, v) = (tensors[0].1, tensors[1].1, tensors[2].1, tensors[3].1)
      for i in 0..<count { v.base[i] = abs(v.base[i]) }
      let before = [w, g, m, v].map(values)
      adamStep(
        AdamState(weights: w.base, gradient: g.base, firstMoment: m.base, secondMoment: v.base),
        count: count, gradientScale: 0.5, learningRate: 0.1, AdamHyperparameters(weightDecay: 0.01))
      let expected = (0..<count).map { i in
        let gradient = before[1][i] * 0.5
        let first = 0.9 * before[2][i] + 0.1 * gradient
        let second = 0.999 * before[3][i] + 0.001 * gradient * gradient
        return before[0][i] - 0.1 * (first / (second.squareRoot() + 1e-6) + 0.01 * before[0][i])
      }
      expectClose(values(w), expected, 1e-5)
      withExtendedLifetime(tensors.map(\.0)) {}
    }
  }

  @Test
  func sigmoidCrossEntropyMatchesAndSurvivesLargeLogits() {
    for logit in stride(from: Float(-30), through: 30, by: 0.7) {
      let p = 1 / (1 + exp(-Double(logit)))
      for label in [true, false] {
        let (loss, derivative) = sigmoidCrossEntropy(logit: logit, label: label)
        #expect(abs(loss + log(label ? p : 1 - p)) < 1e-3 * max(loss, 1e-9) + 1e-12 + 1e-4 * loss)
        #expect(abs(Double(derivative) - (p - (label ? 1 : 0))) < 1e-7)
      }
    }
    #expect(sigmoidCrossEntropy(logit: 1000, label: false).loss == 1000)
    #expect(sigmoidCrossEntropy(logit: -1000, label: false).loss == 0)
  }
}
