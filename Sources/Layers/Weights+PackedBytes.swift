import Tensors

extension Weights {
  /// The bytes of the packed matrices of a model in training.
  ///
  /// In bfloat16 every matrix is packed in both orientations, 4 bytes a weight; in float32 those
  /// orientations that tiled products read.
  package static func packedBytes(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> Int {
    let floats = layout.matrices.reduce(0) { sum, matrix in
      let (rows, columns) = (matrix.rows, matrix.columns)
      return sum + (PackedMatrix.floats(inner: rows, columns: columns, arithmetic) ?? 0)
        + (PackedMatrix.floats(inner: columns, columns: rows, arithmetic) ?? 0)
    }
    return MemoryLayout<Float>.stride * floats
  }
}

extension ParameterLayout {
  /// The matrices that are factors of products.
  ///
  /// All but vectors, layers with one output, and the tables that are only looked up.
  fileprivate var matrices: [Parameter] {
    let lookedUp = ["position_embeddings", "token_type_embeddings"]
    return parameters.filter { parameter in
      parameter.rows > 1 && !lookedUp.contains { parameter.name.contains($0) }
    }
  }

  /// The ranges of the weights that pre-training in `arithmetic` reads only rounded to bfloat16, in
  /// ascending order: in bfloat16 the matrices, otherwise none.
  ///
  /// Look-ups of word embeddings read what products read. Some heads of fine-tuning multiply in
  /// float32.
  package func roundedRanges(in arithmetic: Arithmetic) -> [Range<Int>] {
    guard arithmetic == .bfloat16 else { return [] }
    return matrices.reduce(into: []) { ranges, matrix in
      if let last = ranges.last, last.upperBound == matrix.offset {
        ranges[ranges.count - 1] = last.lowerBound..<matrix.range.upperBound
      } else {
        ranges.append(matrix.range)
      }
    }
  }
}
