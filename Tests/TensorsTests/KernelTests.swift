import Foundation
import Tensors
import TestSupport
import Testing

/// Every kernel against the textbook in Double, at all alignments and at lengths around a vector's.
struct KernelTests {
  static let lengths = Array(0...67)

  /// A row of `count` random numbers that starts `offset` floats after a cache line.
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

  /// Runs `body` with every length and every offset, so that all 16 offsets occur with every tail.
  private func forEachShape(_ body: (_ count: Int, _ offset: Int) -> Void) {
    for count in Self.lengths { for offset in 0..<16 { body(count, offset) } }
  }

  /// The distance from 1 to the next float; one rounding has a relative error of at most half of
  /// it.
  private static let ulp = Double(Float.ulpOfOne)

  /// Expects each element to be within its bound of the exact value.
  private func expectClose(
    _ actual: [Double], _ expected: [Double], _ bound: (Int) -> Double,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let far = actual.indices.first { !(abs(actual[$0] - expected[$0]) <= bound($0)) }
    #expect(
      actual.count == expected.count && far == nil,
      "\(far.map { "\(actual[$0]) for \(expected[$0]), bound \(bound($0))" } ?? "")",
      sourceLocation: location)
  }

  /// The bound follows from the relative errors of the factors of the tail, Q(a) = gaussian *
  /// ratio.
  ///
  /// In units of `ulp`: the gaussian has 2 from `exponential` and a^2 / 4 from the rounding of its
  /// argument; the ratio at most 4 (fit 0.15, t 1, Horner's rule with decreasing terms); products
  /// and sums add 1.5. 1 - Q rounds once.
  @Test
  func geluAndItsDerivativeAreExact() {
    forEachShape { count, offset in
      let (s1, x) = row(count, offset: offset, scale: 6)
      let (s2, bias) = row(count, offset: offset, seed: 2)
      let (s3, output) = row(count, offset: offset)
      let inputs = zip(values(x), values(bias)).map { Double(Float($0) + Float($1)) }
      x.gelu(bias: bias, into: .float32(output))
      let cumulative = inputs.map { 0.5 * erfc(-$0 / 2.0.squareRoot()) }
      let density = inputs.map { exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
      func tailBound(_ i: Int) -> Double {
        let tail = min(cumulative[i], 1 - cumulative[i]) + abs(inputs[i]) * density[i]
        return ((7.5 + inputs[i] * inputs[i] / 4) * tail + cumulative[i]) * Self.ulp
      }
      expectClose(values(output), zip(inputs, cumulative).map(*)) {
        abs(inputs[$0]) * tailBound($0)
      }
      expectClose(
        values(x), inputs.indices.map { cumulative[$0] + inputs[$0] * density[$0] }, tailBound)
      withExtendedLifetime((s1, s2, s3)) {}
    }
  }

  /// The relative error of a tail, as above; below -11 results are subnormal.
  @Test
  func theTailsOfGeluKeepTheirPrecision() {
    let storage = Storage(count: 400)
    let (x, bias) = (storage[0..<100], storage[100..<200])
    for i in 0..<100 { x.base[i] = -0.12 * Float(i) }
    let inputs = values(x)
    x.gelu(bias: bias, into: .float32(storage[200..<300]))
    for (input, output) in zip(inputs, values(storage[200..<300])) where input > -11 && input < 0 {
      let exact = input * 0.5 * erfc(-input / 2.0.squareRoot())
      #expect(abs(output / exact - 1) < (7.5 + input * input / 4) * Self.ulp, "at \(input)")
    }
  }

  /// The bound follows from the relative errors of the exponentials and of their sum.
  ///
  /// In units of `ulp`: the exponential of an entry that is d below the largest has a relative
  /// error of 2 + d / 2. So has the sum, with d the mean over its terms, which is at most the
  /// logarithm of their count. Eight accumulators, their sum, inverse and product round n / 16 + 3
  /// times. Exponentials below e^-87 are subnormal.
  @Test
  func softmaxRowsSumToOneAndMatch() {
    forEachShape { count, offset in
      let (storage, x) = row(count, offset: offset, scale: 20)
      let largest = values(x).max() ?? 0
      let distances = values(x).map { largest - $0 }
      let powers = distances.map { exp(-$0) }
      let expected = powers.map { $0 / powers.reduce(0, +) }
      x.softmaxRows(into: .float32(x))
      let (n, spread) = (Double(count), log(Double(max(count, 1))))
      expectClose(values(x), expected) {
        (7 + (distances[$0] + spread) / 2 + n / 16) * Self.ulp * expected[$0]
      }
      #expect(count == 0 || abs(values(x).reduce(0, +) - 1) <= (3 + n / 16) * Self.ulp)
      withExtendedLifetime(storage) {}
    }
  }

  /// The bound follows from the errors of z, its mean and its standard deviation s.
  ///
  /// Let A be the largest sum of magnitudes of the terms of a z. In units of `ulp`: z has an error
  /// of A, its mean one of (2 + n / 16) A, and their difference adds A; divided by s, the total is
  /// e. The inverse of s has a relative error of e + 3 + n / 32. If z is nearly constant, as in
  /// rows of two, e is large.
  @Test
  func normalizedRowsMatchTheFormula() {
    forEachShape { count, offset in
      guard count > 1 else { return }
      let tensors = (1...6).map { row(count, offset: offset, seed: $0) }
      let (x, residual, bias) = (tensors[0].1, tensors[1].1, tensors[2].1)
      let (scale, shift, output) = (tensors[3].1, tensors[4].1, tensors[5].1)
      let parts = [x, bias, residual].map(values)
      let z = (0..<count).map { i in parts.reduce(0) { $0 + $1[i] } }
      let magnitude = (0..<count).map { i in parts.reduce(0) { $0 + abs($1[i]) } }.max() ?? 0
      let n = Double(count)
      let mean = z.reduce(0, +) / n
      let deviation = (z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
      let inverseDeviations = Storage(count: 1)
      x.normalizeRows(
        BranchSum(bias: bias, dropout: nil, residual: residual),
        NormalizationParameters(scale: scale, shift: shift, epsilon: 1e-12),
        inverseDeviations: inverseDeviations.base, into: output, .float32(output))
      let normalized = z.map { ($0 - mean) / deviation }
      let error = (4 + n / 16) * magnitude / deviation
      func bound(_ i: Int) -> Double {
        (error + abs(normalized[i]) * (error + 3 + n / 32)) * Self.ulp
      }
      expectClose(values(x), normalized, bound)
      let (scales, shifts) = (values(scale), values(shift))
      expectClose(
        values(output), normalized.indices.map { normalized[$0] * scales[$0] + shifts[$0] }
      ) {
        bound($0) * abs(scales[$0])
          + (abs(normalized[$0] * scales[$0]) + abs(shifts[$0])) * Self.ulp
      }
      withExtendedLifetime(tensors.map(\.0)) {}
    }
  }

  @Test
  func anElementHasTheSameBitsWhereverItStands() {
    let (s1, long) = row(64, offset: 0)
    let before = (0..<64).map { long.base[$0] }
    let bias = Storage(count: 80)
    let whole = Storage(count: 64)
    long.gelu(bias: bias[0..<64], into: .float32(whole[0..<64]))
    for start in 0..<16 {
      for count in [1, 7, 8, 13, 40] {
        let part = Storage(count: count + start)
        let (x, output) = (part[start..<start + count], Storage(count: count))
        for i in 0..<count { x.base[i] = before[start + i] }
        x.gelu(bias: bias[0..<count], into: .float32(output[0..<count]))
        for i in 0..<count { #expect(output.base[i] == whole.base[start + i]) }
      }
    }
    withExtendedLifetime(s1) {}
  }

  /// Squares of floats are exact in Double; each addition rounds once, here and in the kernel.
  @Test
  func sumsOfSquaresMatch() {
    forEachShape { count, offset in
      let (storage, x) = row(count, offset: offset)
      let exact = values(x).reduce(0) { $0 + $1 * $1 }
      let bound = Double(count) * Double.ulpOfOne * exact
      #expect(abs(sumOfSquares(x.base, count: count) - exact) <= bound)
      withExtendedLifetime(storage) {}
    }
  }

  /// The formula uses the kernel's float constants, in Double.
  ///
  /// In units of `ulp`, the first moment has an error of M = b1 |m| + (1 - b1) |g|, the second
  /// moment a relative error of 1.5, and the update one of 5.
  @Test
  func adamMatchesTheFormula() {
    let (b1, b2) = (Double(Float(0.9)), Double(Float(0.999)))
    let (rate, decay, epsilon) = (Double(Float(0.1)), Double(Float(0.01)), Double(Float(1e-6)))
    forEachShape { count, offset in
      let tensors = (1...4).map { row(count, offset: offset, scale: 1, seed: $0) }
      let (w, g, m, v) = (tensors[0].1, tensors[1].1, tensors[2].1, tensors[3].1)
      for i in 0..<count { v.base[i] = abs(v.base[i]) }
      let before = [w, g, m, v].map(values)
      adamStep(
        AdamState(weights: w.base, gradient: g.base, firstMoment: m.base, secondMoment: v.base),
        count: count, gradientScale: 0.5, learningRate: 0.1, AdamHyperparameters(weightDecay: 0.01))
      let gradients = before[1].map { 0.5 * $0 }
      let first = zip(before[2], gradients).map { b1 * $0 + (1 - b1) * $1 }
      let second = zip(before[3], gradients).map { b2 * $0 + (1 - b2) * $1 * $1 }
      let magnitudes = zip(before[2], gradients).map { b1 * abs($0) + (1 - b1) * abs($1) }
      let roots = second.map { $0.squareRoot() + epsilon }
      let expected = (0..<count).map {
        before[0][$0] - rate * (first[$0] / roots[$0] + decay * before[0][$0])
      }
      expectClose(values(m), first) { magnitudes[$0] * Self.ulp }
      expectClose(values(v), second) { 1.5 * second[$0] * Self.ulp }
      expectClose(values(w), expected) {
        let update = rate * (magnitudes[$0] / roots[$0] + decay * abs(before[0][$0]))
        return (5 * update + abs(expected[$0]) / 2) * Self.ulp
      }
      withExtendedLifetime(tensors.map(\.0)) {}
    }
  }

  /// The loss is log1p(e^-z) for a true label and log1p(e^z) for a false one.
  ///
  /// This formula is accurate for all z, unlike log(1 - p). The derivative is rounded to a float
  /// once.
  @Test
  func sigmoidCrossEntropyMatchesAndSurvivesLargeLogits() {
    for logit in stride(from: Float(-30), through: 30, by: 0.7) {
      for label in [true, false] {
        let z = Double(label ? logit : -logit)
        let (loss, derivative) = sigmoidCrossEntropy(logit: logit, label: label)
        let expected = log1p(exp(-z))
        #expect(abs(loss / expected - 1) < 1e-12, "\(logit) \(label)")
        // The kernel subtracts numbers near 1 for sigmoid(-z), hence the absolute term.
        let exact = (label ? -1 : 1) / (1 + exp(z))
        let bound = Self.ulp / 2 * abs(exact) + Double.ulpOfOne
        #expect(abs(Double(derivative) - exact) <= bound, "\(logit) \(label)")
      }
    }
    #expect(sigmoidCrossEntropy(logit: 1000, label: false).loss == 1000)
    #expect(sigmoidCrossEntropy(logit: -1000, label: false).loss == 0)
  }
}
