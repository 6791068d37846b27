import Tensors

/// Multi-head self-attention within each sequence (Vaswani et al. 2017), without the output
/// projection.
///
///     P = softmax(Q K^T / sqrt(D/H)),  context = dropout(P) V      for each sequence and head
///
/// There is no padding and so no mask. Queries, keys and values are one product; a head is a window
/// of D/H columns onto it. Forward keeps P; dropout is drawn again in backward.
package struct Attention: Sendable {
  /// Query, key and value weights, end to end: (3 D, D) and (3 D).
  package let projection: Linear
  package let headCount: Int
  let dropout: DropoutSite

  /// Declares `name.query`, `name.key` and `name.value`.
  package init(
    _ name: String, size: Int, headCount: Int, dropoutRate: Float, standardDeviation: Float,
    in layout: inout ParameterLayout
  ) {
    precondition(size % headCount == 0, "\(headCount) heads do not divide a width of \(size)")
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

  /// What backward needs.
  package struct Activations {
    /// Queries, keys and values side by side. (N, 3 D)
    package let projected: Tensor
    /// Each sequence's and head's (t, t) probabilities, end to end.
    package let probabilities: Tensor
    /// (N, D)
    package let context: Tensor

    package init(_ shape: BatchShape, size: Int, headCount: Int, arena: Arena) {
      projected = arena.tensor(shape.tokens, 3 * size)
      probabilities = arena.tensor(1, shape.squares * headCount)
      context = arena.tensor(shape.tokens, size)
    }
  }

  /// Memory that is free again after each pass.
  package struct Scratch {
    /// Two (T, T) matrices that every head uses in turn.
    let first: Tensor
    let second: Tensor
    /// The gradient of queries, keys and values. (N, 3 D)
    let projectedGradient: Tensor

    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      first = arena.tensor(1, shape.longest * shape.longest)
      second = arena.tensor(1, shape.longest * shape.longest)
      projectedGradient = arena.tensor(shape.tokens, 3 * size)
    }

    static func square(_ memory: Tensor, _ length: Int) -> Tensor {
      Tensor(base: memory.base, rows: length, columns: length)
    }
  }

  /// One head of one sequence: its windows, and the rows of its dropout stream.
  private struct Head {
    let query: Tensor, key: Tensor, value: Tensor  // (t, D/H)
    let probabilities: Tensor  // (t, t)
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
        let probabilities = Tensor(
          base: activations.probabilities.base + start, rows: range.count, columns: range.count)
        body(
          Head(
            query: tokens.columns(columns), key: tokens.columns(columns.shifted(by: size)),
            value: tokens.columns(columns.shifted(by: 2 * size)), probabilities: probabilities,
            columns: columns, rows: range, firstDropoutRow: head * range.count, dropout: stream))
        start += range.count * range.count
      }
    }
  }

  private func scale(_ activations: Activations) -> Float {
    1 / Float(activations.context.columns / headCount).squareRoot()
  }

  /// Fills `activations` from `input` (N, D).
  package func forward(
    _ input: Tensor, _ activations: Activations, _ scratch: Scratch, _ pass: PassContext
  ) {
    projection.forward(input, into: activations.projected, pass)
    let scale = scale(activations)
    forEachHead(activations, pass) { head in
      head.probabilities.multiply(head.query.plain, head.key.transposed, scale: scale)
      head.probabilities.softmaxRows()
      var kept = head.probabilities
      if let dropout = head.dropout {
        kept = Scratch.square(scratch.first, head.rows.count)
        head.probabilities.applyDropout(dropout, firstRow: head.firstDropoutRow, into: kept)
      }
      let context = activations.context.rows(head.rows).columns(head.columns)
      context.multiply(kept.plain, head.value.plain)
    }
  }

  /// Adds the gradient of the input to `inputGradient` (N, D).
  ///
  /// - Parameters:
  ///   - contextGradient: the gradient of the context. (N, D)
  ///   - input: that of the forward pass. (N, D)
  ///   - activations: what the forward pass left.
  ///   - scratch: memory for this pass.
  ///   - inputGradient: added to.
  ///   - pass: weights, gradients and random numbers.
  package func backward(
    contextGradient: Tensor, input: Tensor, _ activations: Activations, _ scratch: Scratch,
    addingTo inputGradient: Tensor, _ pass: PassContext
  ) {
    let (size, projectedGradient) = (contextGradient.columns, scratch.projectedGradient)
    let scale = scale(activations)
    forEachHead(activations, pass) { head in
      let context = contextGradient.rows(head.rows).columns(head.columns)
      let gradients = projectedGradient.rows(head.rows)
      var kept = head.probabilities
      if let dropout = head.dropout {
        kept = Scratch.square(scratch.first, head.rows.count)
        head.probabilities.applyDropout(dropout, firstRow: head.firstDropoutRow, into: kept)
      }
      gradients.columns(head.columns.shifted(by: 2 * size))
        .multiply(kept.transposed, context.plain)
      let scores = Scratch.square(scratch.second, head.rows.count)
      scores.multiply(context.plain, head.value.transposed)
      scores.softmaxRowsBackward(probabilities: head.probabilities, kept: kept)
      gradients.columns(head.columns).multiply(scores.plain, head.key.plain, scale: scale)
      gradients.columns(head.columns.shifted(by: size))
        .multiply(scores.transposed, head.query.plain, scale: scale)
    }
    pass.gradient(projection.bias).addSumOfRows(of: projectedGradient)
    projection.backward(
      outputGradient: projectedGradient, input: input, into: inputGradient, adding: true, pass)
  }
}

extension Range where Bound == Int {
  fileprivate func shifted(by offset: Int) -> Self { lowerBound + offset..<upperBound + offset }
}

extension Parameter {
  /// The first of a group of tensors that lie end to end, seen as one of this shape.
  fileprivate func widened(to shape: [Int]) -> Parameter {
    Parameter(name: name, shape: shape, offset: offset, initialization: initialization)
  }
}
