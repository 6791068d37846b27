import Tensors

/// The sum of token, position and segment embeddings, with layer normalisation and dropout.
///
///     e = dropout(norm(word[token] + position[index in sequence] + segment[segment id]))
///
/// In bfloat16 the rows of the word embedding are rounded when they are looked up, as the
/// vocabulary head's products read them.
///
/// Generator and discriminator share one instance (ELECTRA, section 3.1: tied embeddings). Each
/// passes its own dropout site, so that their masks are independent.
package struct Embeddings: Sendable {
  package let word: Parameter  // (V, E)
  package let position: Parameter  // (positions, E)
  package let segment: Parameter  // (2, E)
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

  /// Declares `name.word_embeddings` and the other tables.
  ///
  /// - Parameters:
  ///   - name: the prefix of the parameter names.
  ///   - sizes: the shapes of the tables.
  ///   - epsilon: the epsilon of the layer normalisation.
  ///   - standardDeviation: of the initial word and segment embeddings.
  ///   - positions: the initialisation of the position embeddings.
  ///   - layout: the layout that the parameters are added to.
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
    segment = layout.declare(
      "\(name).token_type_embeddings.weight", [sizes.typeCount, size], normal)
    norm = LayerNorm(name + ".LayerNorm", size: size, epsilon: epsilon, in: &layout)
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    let norm: LayerNorm.Activations
    /// The embeddings after dropout. (N, E)
    package let output: HiddenStates

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      // Only dropout reads the output of the normalisation, so it needs no rounded copy.
      var unrounded = shape
      unrounded.arithmetic = .float32
      norm = LayerNorm.Activations(unrounded, size: size, arena: arena)
      output = HiddenStates(shape.tokens, size, in: shape.arithmetic, arena: arena)
    }
  }

  /// Embeds `tokens` (N) with `segmentIDs` (N); the result is `activations.output` (N, E).
  package func forward(
    tokens: [Int32], segmentIDs: [UInt8], _ activations: Activations, dropout site: DropoutSite,
    _ pass: PassContext
  ) {
    let sum = activations.norm.normalized
    sum.gatherRows(of: pass.weights[word], tokens, in: pass.weights.arithmetic)
    let positions = pass.weights[position]  // positions restart at each sequence
    let segments = pass.weights[segment]
    for range in pass.ranges {
      sum.rows(range).add(positions.rows(0..<range.count))
      for t in range {
        let id = Int(segmentIDs[t])
        sum.rows(t..<t + 1).add(segments.rows(id..<id + 1))
      }
    }
    norm.forward(activations.norm, bias: nil, residual: nil, dropout: nil, pass)
    forEachSequence(site, pass) { range, dropout in
      activations.norm.output.values.rows(range).applyDropout(
        dropout, into: activations.output.values.rows(range))
    }
    activations.output.updateOperand()
  }

  /// Adds the gradients of the tables and of the normalisation.
  ///
  /// `gradient` (N, E) is the gradient of the output; its contents are overwritten.
  package func backward(
    _ gradient: Tensor, tokens: [Int32], segmentIDs: [UInt8], _ activations: Activations,
    dropout site: DropoutSite, _ pass: PassContext
  ) {
    forEachSequence(site, pass) { range, dropout in
      gradient.rows(range).applyDropout(dropout, into: gradient.rows(range))
    }
    norm.backward(
      activations.norm, gradient: gradient, bias: nil, dropout: nil, into: nil, pass)
    pass.gradient(word).scatterAddRows(of: gradient, tokens)
    pass.gradient(segment).scatterAddRows(of: gradient, segmentIDs.map { Int32($0) })
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
