import Tensors

/// Multi-head self-attention within each sequence, without the output projection.
///
///     P = softmax(Q K^T / sqrt(D/H)),  context = dropout(P) V      for each sequence and head
///
/// Dropout multiplies a product by its factor instead of the probabilities: the kept ones are then
/// exactly P, rounded once in bfloat16.
///
/// (Vaswani et al. 2017, section 3.2.) Batches have no padding, so there is no attention mask.
/// Queries, keys and values come from one matrix product; each head uses a window of D/H columns of
/// the result. The forward pass keeps P. The backward pass regenerates the dropout mask from its
/// random stream.
///
/// With S the gradient of the context, the backward pass computes
///
///     dV = dropout(P)^T S,   dP = S V^T,   dQ = ds K / sqrt(D/H),   dK = ds^T Q / sqrt(D/H)
///
/// where ds is the gradient of the softmax's input.
package struct Attention: Sendable {
  /// The query, key and value weights (3 D, D) and biases (3 D), end to end.
  package let projection: Linear
  package let headCount: Int
  let dropout: DropoutSite

  /// Declares `name.query`, `name.key` and `name.value`.
  ///
  /// `size`, D, must be a multiple of `headCount`, H.
  package init(
    _ name: String, size: Int, headCount: Int, dropoutRate: Float, standardDeviation: Float,
    in layout: inout ParameterLayout
  ) {
    precondition(size % headCount == 0, "\(headCount) heads do not divide a hidden size of \(size)")
    let parts = ["query", "key", "value"]
    let weights = layout.declare(
      group: parts.map { "\(name).\($0).weight" }, [size, size],
      .truncatedNormal(standardDeviation: standardDeviation))
    let biases = layout.declare(group: parts.map { "\(name).\($0).bias" }, [size], .zeros)
    projection = Linear(
      weight: weights[0].widened(to: [3 * size, size]), bias: biases[0].widened(to: [3 * size]))
    self.headCount = headCount
    dropout = DropoutSite(name + ".probabilities", rate: dropoutRate)
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    /// Queries, keys and values side by side. (N, 3 D)
    let projected: Operand
    /// The (t, t) probabilities of each head of each sequence, end to end, before dropout.
    package let probabilities: Operand
    package let context: Operand  // (N, D)

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ shape: BatchShape, size: Int, headCount: Int, arena: Arena) {
      let arithmetic = shape.arithmetic
      projected = arena.operand(shape.tokens, 3 * size, in: arithmetic)
      probabilities = arena.operand(1, shape.squares * headCount, in: arithmetic)
      context = arena.operand(shape.tokens, size, in: arithmetic)
    }
  }

  /// Temporary memory of one pass.
  package struct Scratch {
    /// The probabilities of the current head that dropout keeps. (t, t), at most (T, T)
    let kept: Operand
    /// The current head's scores, or their gradient. (t, t), at most (T, T)
    let scores: Tensor
    /// The gradient of queries, keys and values. (N, 3 D)
    let projectedGradient: Operand

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      kept = arena.operand(1, shape.longest * shape.longest, in: shape.arithmetic)
      scores = arena.tensor(1, shape.longest * shape.longest)
      projectedGradient = arena.operand(shape.tokens, 3 * size, in: shape.arithmetic)
    }

    /// The scores of a head of `length` tokens.
    func scores(_ length: Int) -> Tensor {
      Tensor(base: scores.base, rows: length, columns: length)
    }
  }

  /// One head of one sequence: its windows, and its rows of the dropout stream.
  private struct Head {
    let query: Operand, key: Operand, value: Operand  // (t, D/H)
    let probabilities: Operand  // (t, t)
    let columns: Range<Int>
    let rows: Range<Int>
    let firstDropoutRow: Int
    let dropout: DropoutStream?
  }

  private func forEachHead(_ activations: Activations, _ pass: PassContext, _ body: (Head) -> Void)
  {
    let size = activations.context.columns
    let width = size / headCount
    var start = 0
    for (index, range) in pass.ranges.enumerated() {
      let stream = pass.dropout(dropout, sequence: index)
      let tokens = activations.projected.rows(range)
      for head in 0..<headCount {
        let columns = head * width..<(head + 1) * width
        let probabilities = activations.probabilities.square(range.count, from: start)
        body(
          Head(
            query: tokens.columns(columns), key: tokens.columns(columns.shifted(by: size)),
            value: tokens.columns(columns.shifted(by: 2 * size)), probabilities: probabilities,
            columns: columns, rows: range, firstDropoutRow: head * range.count, dropout: stream))
        start += range.count * range.count
      }
    }
  }

  /// 1 / sqrt(D/H).
  private func scale(_ activations: Activations) -> Float {
    1 / Float(activations.context.columns / headCount).squareRoot()
  }

  /// The probabilities of `head` that dropout keeps, and zeros, and the factor that dropout
  /// multiplies them by.
  ///
  /// Both passes call this and get equal bits: the mask is a function of the dropout stream.
  private func kept(_ head: Head, _ scratch: Scratch) -> (probabilities: Operand, scale: Float) {
    guard let dropout = head.dropout else { return (head.probabilities, 1) }
    let kept = scratch.kept.square(head.rows.count, from: 0)
    head.probabilities.keep(dropout, firstRow: head.firstDropoutRow, into: kept)
    return (kept, dropout.scale)
  }

  /// Fills `activations` from `input` (N, D).
  package func forward(
    _ input: Operand, _ activations: Activations, _ scratch: Scratch, _ pass: PassContext
  ) {
    projection.forward(input, into: activations.projected, pass)
    let scale = scale(activations)
    forEachHead(activations, pass) { head in
      let scores = scratch.scores(head.rows.count)
      scores.multiply(head.query.plain, head.key.transposed, scale: scale)
      scores.softmaxRows(into: head.probabilities)
      let kept = kept(head, scratch)
      activations.context.rows(head.rows).columns(head.columns)
        .multiply(kept.probabilities.plain, head.value.plain, scale: kept.scale)
    }
  }

  /// Adds the parameter gradients, and the gradient of the input to `inputGradient` (N, D).
  ///
  /// - Parameters:
  ///   - contextGradient: the gradient of the context (N, D); read only.
  ///   - input: the input of the forward pass. (N, D)
  ///   - activations: as the forward pass filled them.
  ///   - scratch: temporary memory, overwritten.
  ///   - inputGradient: the gradient to add to, often the residual stream's.
  ///   - pass: weights, gradients and random numbers.
  package func backward(
    contextGradient: Operand, input: Operand, _ activations: Activations, _ scratch: Scratch,
    addingTo inputGradient: Tensor, _ pass: PassContext
  ) {
    let (size, projectedGradient) = (contextGradient.columns, scratch.projectedGradient)
    let scale = scale(activations)
    forEachHead(activations, pass) { head in
      let context = contextGradient.rows(head.rows).columns(head.columns)
      let gradients = projectedGradient.rows(head.rows)
      let kept = kept(head, scratch)
      gradients.columns(head.columns.shifted(by: 2 * size))
        .multiply(kept.probabilities.transposed, context.plain, scale: kept.scale)
      let scores = scratch.scores(head.rows.count)
      scores.multiply(context.plain, head.value.transposed, scale: kept.scale)
      let scoreGradient = scores.operand(in: pass.weights.arithmetic)
      scores.softmaxRowsBackward(
        probabilities: head.probabilities, kept: kept.probabilities, into: scoreGradient)
      gradients.columns(head.columns)
        .multiply(scoreGradient.plain, head.key.plain, scale: scale)
      gradients.columns(head.columns.shifted(by: size))
        .multiply(scoreGradient.transposed, head.query.plain, scale: scale)
    }
    pass.gradient(projection.bias).addSumOfRows(of: projectedGradient)
    projection.backward(
      outputGradient: projectedGradient, input: input, into: inputGradient, adding: true, pass)
  }
}

extension Operand {
  /// The `length` x `length` matrix from element `start` of a row of memory on.
  fileprivate func square(_ length: Int, from start: Int) -> Operand {
    switch self {
    case .float32(let row):
      .float32(Tensor(base: row.base + start, rows: length, columns: length))
    case .bfloat16(let row):
      .bfloat16(
        BFloat16Tensor(
          base: row.base + 2 * start, rows: length, columns: length, order: row.order))
    }
  }
}

extension Range where Bound == Int {
  fileprivate func shifted(by offset: Int) -> Self { lowerBound + offset..<upperBound + offset }
}

extension Parameter {
  /// The group of tensors that begins with this one, seen as a single tensor of `shape`.
  ///
  /// The tensors of a group lie end to end in the flat vector, so one product computes all three
  /// projections.
  fileprivate func widened(to shape: [Int]) -> Parameter {
    Parameter(name: name, shape: shape, offset: offset, initialization: initialization)
  }
}
