import Tensors

extension ParameterLayout {
  /// Writes the initial values of every parameter into `weights`.
  ///
  /// The values of a parameter depend only on the seed and on its name, shape and initialisation,
  /// so adding a parameter does not change the others. Gaps between parameters are left as they
  /// are.
  package func initialize(_ weights: Storage, seed: UInt64) {
    for parameter in parameters {
      let window = weights[parameter]
      switch parameter.initialization {
      case .zeros: window.fill(0)
      case .constant(let value): window.fill(value)
      case .truncatedNormal(let standardDeviation):
        let stream = RandomStream(
          seed: seed, site: RandomStream.site("initial:" + parameter.name), step: 0, sequence: 0)
        fillTruncatedNormal(window, standardDeviation: standardDeviation, stream)
      case .sinusoids(let standardDeviation):
        fillSinusoids(window, standardDeviation: standardDeviation)
      }
    }
  }

  /// Row p: sin and cos of p / 10,000^(2i / columns), with wavelengths from 2 pi to 20,000 pi.
  private func fillSinusoids(_ tensor: Tensor, standardDeviation: Float) {
    let amplitude = standardDeviation * Float(2).squareRoot()  // a sine's rms is 1 / sqrt(2)
    for row in 0..<tensor.rows {
      for column in 0..<tensor.columns {
        // cos x = sin(x + pi / 2) for odd columns.
        let exponent = Double(column & ~1) / Double(tensor.columns)
        let angle = Double(row) / power(10_000, exponent) + Double(column & 1) * Double.pi / 2
        tensor.row(row)[column] = amplitude * Float(sine(angle))
      }
    }
  }

  /// Normal numbers by the polar method (Marsaglia and Bray 1964), redrawn beyond two standard
  /// deviations.
  ///
  /// A pair (x, y) uniform in the unit disc gives two normal numbers. Values are computed in Double
  /// and rounded to Float once, so that the last bits of the C library's logarithm hardly matter.
  private func fillTruncatedNormal(
    _ tensor: Tensor, standardDeviation: Float, _ stream: RandomStream
  ) {
    var counter: UInt32 = 0
    var filled = 0
    while filled < tensor.count {
      let words = stream.block(counter)
      counter += 1
      for (first, second) in [(words[0], words[1]), (words[2], words[3])] {
        let x = Double(first) * 0x1p-31 - 1
        let y = Double(second) * 0x1p-31 - 1
        let square = x * x + y * y
        guard square > 0, square < 1 else { continue }
        let factor = (-2 * naturalLogarithm(square) / square).squareRoot()
        for normal in [x * factor, y * factor] where abs(normal) <= 2 && filled < tensor.count {
          tensor.base[filled] = Float(normal) * standardDeviation
          filled += 1
        }
      }
    }
  }
}
