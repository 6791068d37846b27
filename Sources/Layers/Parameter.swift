import Tensors

/// One named tensor of a model: where it lies in the flat vector, and how it begins.
package struct Parameter: Sendable, Equatable {
  /// Its name, as Hugging Face's model spells it.
  package let name: String
  /// Its shape as stored on disk; linear weights are (output, input).
  package let shape: [Int]
  /// The index of its first float in the flat vector.
  package let offset: Int
  /// Its first values.
  package let initialization: Initialization

  /// The number of floats.
  package var count: Int { shape.reduce(1, *) }
  /// Its floats in the flat vector.
  package var range: Range<Int> { offset..<offset + count }
  /// Rows and columns when seen as a matrix: a vector is one row.
  package var rows: Int { shape.count > 1 ? shape[0] : 1 }
  package var columns: Int { shape.count > 1 ? count / shape[0] : count }
  /// Whether weight decay applies: not to biases and normalisations (reference, `optimization.py`).
  package var decays: Bool { !name.contains("LayerNorm") && !name.hasSuffix("bias") }
}

/// How a tensor begins.
package enum Initialization: Sendable, Equatable {
  /// Normal around 0, cut off and redrawn beyond two standard deviations.
  case truncatedNormal(standardDeviation: Float)
  /// Row p holds sines and cosines of p in wavelengths that grow along the row (Vaswani et al. 2017,
  /// section 3.5), scaled to this standard deviation.
  case sinusoids(standardDeviation: Float)
  case zeros
  case constant(Float)
}

extension Storage {
  /// The window of `parameter`.
  package subscript(parameter: Parameter) -> Tensor {
    Tensor(base: base + parameter.offset, rows: parameter.rows, columns: parameter.columns)
  }
}
