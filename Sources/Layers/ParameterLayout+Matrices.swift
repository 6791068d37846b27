import Tensors

extension ParameterLayout {
  /// The matrices that are factors of products.
  ///
  /// All but vectors, layers with one output, and the tables that are only looked up.
  var matrices: [Parameter] {
    let lookedUp = ["position_embeddings", "token_type_embeddings"]
    return parameters.filter { parameter in
      parameter.rows > 1 && !lookedUp.contains { parameter.name.contains($0) }
    }
  }

  /// The ranges of the weights that pre-training in `arithmetic` reads only rounded to bfloat16, in
  /// ascending order: in bfloat16 the matrices, otherwise none.
  ///
  /// Look-ups of word embeddings read what products read. Tables that are terms of a sum are
  /// excluded, because the sum is made in float32. Some heads of fine-tuning multiply in float32.
  package func roundedRanges(in arithmetic: Arithmetic) -> [Range<Int>] {
    guard arithmetic.roundsFactors else { return [] }
    let hasSums = parameters.contains(where: \.isDifference)
    let rounded = matrices.filter { !hasSums || !$0.name.contains("word_embeddings") }
    return rounded.reduce(into: []) { ranges, matrix in
      if let last = ranges.last, last.upperBound == matrix.offset {
        ranges[ranges.count - 1] = last.lowerBound..<matrix.range.upperBound
      } else {
        ranges.append(matrix.range)
      }
    }
  }
}

extension ParameterLayout {
  /// The weight matrices of all encoder layers: queries, keys, values, attention's output and the
  /// two of the feed-forward network, each by itself.
  ///
  /// These are the parameters that Muon may update. Embeddings and their projections, heads, biases
  /// and normalisations are not among them.
  package var hiddenMatrices: [Parameter] {
    parameters.filter { $0.shape.count == 2 && $0.name.contains("encoder.layer.") }
  }
}

extension Parameter {
  /// The floating-point operations of its orthogonalisation as a matrix.
  package var orthogonalization: Double { NewtonSchulz.operations(rows: rows, columns: columns) }
}
