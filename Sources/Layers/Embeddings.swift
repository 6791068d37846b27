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
  package private(set) var word: EmbeddingTable  // (V, E)
  package private(set) var position: EmbeddingTable  // (positions, E)
  package private(set) var segment: EmbeddingTable  // (2, E)
  let norm: LayerNorm

  /// The shapes of the three tables.
  package struct Sizes {
    let vocabularySize: Int  // V
    let positionCount: Int
    let typeCount: Int
    let size: Int  // E
    /// Whether the tables are differences from those of other embeddings (`setBase`).
    ///
    /// Differences start at zero, and their names end in `.delta`.
    package var areDifferences = false

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
    func table(_ table: String, _ rows: Int, _ initial: Initialization) -> EmbeddingTable {
      let suffix = sizes.areDifferences ? EmbeddingTable.differenceSuffix : ".weight"
      return EmbeddingTable(
        layout.declare(
          "\(name).\(table)\(suffix)", [rows, size], sizes.areDifferences ? .zeros : initial))
    }
    let normal = Initialization.truncatedNormal(standardDeviation: standardDeviation)
    word = table("word_embeddings", sizes.vocabularySize, normal)
    position = table("position_embeddings", sizes.positionCount, positions)
    segment = table("token_type_embeddings", sizes.typeCount, normal)
    norm = LayerNorm(name + ".LayerNorm", size: size, epsilon: epsilon, in: &layout)
  }

  /// Makes the tables the sums of their parameters and the tables of `base`, which get no gradient
  /// from these embeddings.
  package mutating func setBase(_ base: Embeddings) {
    word.base = base.word.parameter
    position.base = base.position.parameter
    segment.base = base.segment.parameter
  }

  /// The three tables.
  package var tables: [EmbeddingTable] { [word, position, segment] }

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
    pass.gradient(word.parameter).scatterAddRows(of: gradient, tokens)
    pass.gradient(segment.parameter).scatterAddRows(of: gradient, segmentIDs.map { Int32($0) })
    let positions = pass.gradient(position.parameter)
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
