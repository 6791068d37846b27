import Tensors

extension Weights {
  /// The bytes of the packed matrices of a model in training.
  ///
  /// In bfloat16 every matrix is packed in both orientations, 4 bytes a weight; in float32 those
  /// orientations that tiled products read. Tables that are only looked up, and layers with one
  /// output, are not packed.
  package static func packedBytes(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> Int {
    let lookedUp = ["position_embeddings", "token_type_embeddings"]
    let matrices = layout.parameters.filter { parameter in
      parameter.rows > 1 && !lookedUp.contains { parameter.name.contains($0) }
    }
    let floats = matrices.reduce(0) { sum, matrix in
      let (rows, columns) = (matrix.rows, matrix.columns)
      return sum + (PackedMatrix.floats(inner: rows, columns: columns, arithmetic) ?? 0)
        + (PackedMatrix.floats(inner: columns, columns: rows, arithmetic) ?? 0)
    }
    return MemoryLayout<Float>.stride * floats
  }
}
