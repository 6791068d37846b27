// The Gaussian error linear unit (Hendrycks and Gimpel 2016), in its exact form: x P(x), with P the
// standard normal distribution function. Forward has P and the density at hand, so it also leaves
// the derivative P(x) + x p(x); backward is then one product.

extension Tensor {
  /// `output` = gelu(self + bias), row by row; this tensor is replaced by the derivative there.
  package func gelu(bias: Tensor, into output: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.gelu, start) }
    precondition(bias.columns == columns && output.rows == rows, "shapes differ")
    for r in 0..<rows {
      let (source, target) = (row(r), output.row(r))
      forEachVector(columns) { i, tail in
        let x = source.load(at: i, tail: tail) + bias.base.load(at: i, tail: tail)
        let (cumulative, density) = normalDistribution(x)
        target.store(x * cumulative, at: i, tail: tail)
        source.store(x.times(density, plus: cumulative), at: i, tail: tail)
      }
    }
  }

  /// Turns the gradient of gelu's output, which this tensor holds, into that of its input, and adds
  /// that to `biasGradient`. `derivative` is what `gelu` left.
  package func geluBackward(derivative: Tensor, biasGradient: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.gelu, start) }
    let bias = biasGradient.base
    for r in 0..<rows {
      let (gradient, slope) = (row(r), derivative.row(r))
      forEachVector(columns) { i, tail in
        let value = gradient.load(at: i, tail: tail) * slope.load(at: i, tail: tail)
        gradient.store(value, at: i, tail: tail)
        bias.store(bias.load(at: i, tail: tail) + value, at: i, tail: tail)
      }
    }
  }
}
