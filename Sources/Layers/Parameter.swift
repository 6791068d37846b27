import Tensors

/// One named tensor of a model: its position in the flat vector and its initialisation.
package struct Parameter: Sendable, Equatable {
  /// The name, as in Hugging Face's models.
  package let name: String
  /// The shape as stored on disk; linear weights are (output, input).
  package let shape: [Int]
  /// The index of its first float in the flat vector.
  package let offset: Int
  /// How the initial values are drawn.
  package let initialization: Initialization

  /// The number of floats.
  package var count: Int { shape.reduce(1, *) }
  /// The indices of its floats in the flat vector.
  package var range: Range<Int> { offset..<offset + count }
  /// The number of rows when seen as a matrix: a vector is one row.
  package var rows: Int { shape.count > 1 ? shape[0] : 1 }
  /// The number of columns when seen as a matrix.
  package var columns: Int { shape.count > 1 ? count / shape[0] : count }
  /// Whether weight decay applies: to all but biases and normalisations (the reference's
  /// `optimization.py`).
  package var decays: Bool { !name.contains("LayerNorm") && !name.hasSuffix("bias") }
}

/// How the initial values of a tensor are drawn.
package enum Initialization: Sendable, Equatable {
  /// Normal with mean 0, redrawn beyond two standard deviations.
  case truncatedNormal(standardDeviation: Float)
  /// Row p holds sines and cosines of p with wavelengths that grow along the row, scaled to this
  /// standard deviation (Vaswani et al. 2017, section 3.5).
  case sinusoids(standardDeviation: Float)
  case zeros
  case constant(Float)
}

extension Storage {
  /// The part of a flat vector that belongs to `parameter`, as a matrix that shares its memory.
  package subscript(parameter: Parameter) -> Tensor {
    Tensor(base: base + parameter.offset, rows: parameter.rows, columns: parameter.columns)
  }
}
