import Tensors

extension Weights {
  /// The bytes of the packed matrices of a model in training, and of the sums of its embedding
  /// tables with a base.
  ///
  /// In bfloat16 every matrix is packed in both orientations, 4 bytes a weight; in float32 those
  /// orientations that tiled products read.
  package static func packedBytes(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> Int {
    let floats = layout.matrices.reduce(0) { sum, matrix in
      let (rows, columns) = (matrix.rows, matrix.columns)
      return sum + (PackedMatrix.floats(inner: rows, columns: columns, arithmetic) ?? 0)
        + (PackedMatrix.floats(inner: columns, columns: rows, arithmetic) ?? 0)
    }
    let sums = layout.parameters.filter(\.isDifference).reduce(0) { $0 + $1.count }
    return MemoryLayout<Float>.stride * (floats + sums)
  }
}
