import Tensors

/// Token, position and segment embeddings, summed, normalised and dropped:
///
///     e = dropout(norm(word[token] + position[place] + type[segment]))
///
/// Generator and discriminator share one (ELECTRA, section 3.1: tied embeddings), and draw their
/// dropout separately.
package struct Embeddings: Sendable {
  package let word: Parameter  // (V, E)
  package let position: Parameter  // (positions, E)
  package let type: Parameter  // (2, E)
  let norm: LayerNorm

  /// The shapes of the three tables.
  package struct Sizes {
    let vocabularySize: Int  // V
    let positionCount: Int
    let typeCount: Int
    let size: Int  // E

    package init(vocabularySize: Int, positionCount: Int, typeCount: Int, size: Int) {
      self.vocabularySize = vocabularySize
      self.positionCount = positionCount
      self.typeCount = typeCount
      self.size = size
    }
  }

  /// Declares `name.word_embeddings` and the others.
  ///
  /// - Parameters:
  ///   - name: what the parameters' names begin with.
  ///   - sizes: the shapes of the tables.
  ///   - epsilon: that of the normalisation.
  ///   - standardDeviation: the standard deviation of the first word and segment embeddings.
  ///   - positions: how position embeddings begin.
  ///   - layout: where the parameters are declared.
  package init(
    _ name: String, _ sizes: Sizes, epsilon: Float, standardDeviation: Float,
    positions: Initialization,
    in layout: inout ParameterLayout
  ) {
    let size = sizes.size
    let normal = Initialization.truncatedNormal(standardDeviation: standardDeviation)
    word = layout.declare("\(name).word_embeddings.weight", [sizes.vocabularySize, size], normal)
    position = layout.declare(
      "\(name).position_embeddings.weight", [sizes.positionCount, size], positions)
    type = layout.declare("\(name).token_type_embeddings.weight", [sizes.typeCount, size], normal)
    norm = LayerNorm(name + ".LayerNorm", size: size, epsilon: epsilon, in: &layout)
  }

  /// What backward needs.
  package struct Activations {
    let norm: LayerNorm.Activations
    /// The dropped output. (N, E)
    package let output: Tensor

    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      norm = LayerNorm.Activations(shape, size: size, arena: arena)
      output = arena.tensor(shape.tokens, size)
    }
  }

  /// Fills `activations` for `tokens` (N) with segment ids `types` (N).
  package func forward(
    tokens: [Int32], types: [UInt8], _ activations: Activations, dropout site: DropoutSite,
    _ pass: PassContext
  ) {
    let sum = activations.norm.normalized
    sum.gatherRows(of: pass.weights[word], tokens)
    let positions = pass.weights[position]
    let segments = pass.weights[type]
    for range in pass.ranges {
      sum.rows(range).add(positions.rows(0..<range.count))
      for t in range {
        let segment = Int(types[t])
        sum.rows(t..<t + 1).add(segments.rows(segment..<segment + 1))
      }
    }
    norm.forward(activations.norm, bias: nil, residual: nil, dropout: nil, pass)
    forEachSequence(site, pass) { range, dropout in
      activations.norm.output.rows(range).applyDropout(
        dropout, into: activations.output.rows(range))
    }
  }

  /// Adds the tables' gradients; `gradient` (N, E), that of the output, is used up.
  package func backward(
    _ gradient: Tensor, tokens: [Int32], types: [UInt8], _ activations: Activations,
    dropout site: DropoutSite, _ pass: PassContext
  ) {
    forEachSequence(site, pass) { range, dropout in
      gradient.rows(range).applyDropout(dropout, into: gradient.rows(range))
    }
    norm.backward(
      activations.norm, gradient: gradient, bias: nil, dropout: nil, into: nil, pass)
    pass.gradient(word).scatterAddRows(of: gradient, tokens)
    pass.gradient(type).scatterAddRows(of: gradient, types.map { Int32($0) })
    let positions = pass.gradient(position)
    for range in pass.ranges {
      positions.rows(0..<range.count).add(gradient.rows(range))
    }
  }

  private func forEachSequence(
    _ site: DropoutSite, _ pass: PassContext, _ body: (Range<Int>, DropoutStream?) -> Void
  ) {
    for (index, range) in pass.ranges.enumerated() {
      body(range, pass.dropout(site, sequence: index))
    }
  }
}
