import Tensors

/// Multi-head self-attention within each sequence, without the output projection.
///
///     P = softmax(Q K^T / sqrt(D/H)),  context = dropout(P) V      for each sequence and head
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
    package let projected: Tensor
    /// The (t, t) probabilities of each head of each sequence, end to end, before dropout.
    package let probabilities: Tensor
    package let context: Tensor  // (N, D)

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ shape: BatchShape, size: Int, headCount: Int, arena: Arena) {
      projected = arena.tensor(shape.tokens, 3 * size)
      probabilities = arena.tensor(1, shape.squares * headCount)
      context = arena.tensor(shape.tokens, size)
    }
  }

  /// Temporary memory of one pass.
  package struct Scratch {
    /// Dropped-out probabilities of the current head. (t, t), at most (T, T)
    let dropped: Tensor
    /// The gradient of the current head's scores. (t, t), at most (T, T)
    let scoreGradient: Tensor
    /// The gradient of queries, keys and values. (N, 3 D)
    let projectedGradient: Tensor

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ shape: BatchShape, size: Int, arena: Arena) {
      dropped = arena.tensor(1, shape.longest * shape.longest)
      scoreGradient = arena.tensor(1, shape.longest * shape.longest)
      projectedGradient = arena.tensor(shape.tokens, 3 * size)
    }

    /// The first `length` x `length` floats of `memory` as a matrix.
    static func square(_ memory: Tensor, _ length: Int) -> Tensor {
      Tensor(base: memory.base, rows: length, columns: length)
    }
  }

  /// One head of one sequence: its windows, and its rows of the dropout stream.
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

  /// 1 / sqrt(D/H).
  private func scale(_ activations: Activations) -> Float {
    1 / Float(activations.context.columns / headCount).squareRoot()
  }

  /// The probabilities of `head` after dropout, in `scratch.dropped`.
  ///
  /// Both passes call this and get equal bits: the mask is a function of the dropout stream.
  private func droppedProbabilities(_ head: Head, _ scratch: Scratch) -> Tensor {
    guard let dropout = head.dropout else { return head.probabilities }
    let dropped = Scratch.square(scratch.dropped, head.rows.count)
    head.probabilities.applyDropout(dropout, firstRow: head.firstDropoutRow, into: dropped)
    return dropped
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
      let context = activations.context.rows(head.rows).columns(head.columns)
      context.multiply(droppedProbabilities(head, scratch).plain, head.value.plain)
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
    contextGradient: Tensor, input: Tensor, _ activations: Activations, _ scratch: Scratch,
    addingTo inputGradient: Tensor, _ pass: PassContext
  ) {
    let (size, projectedGradient) = (contextGradient.columns, scratch.projectedGradient)
    let scale = scale(activations)
    forEachHead(activations, pass) { head in
      let context = contextGradient.rows(head.rows).columns(head.columns)
      let gradients = projectedGradient.rows(head.rows)
      let dropped = droppedProbabilities(head, scratch)
      gradients.columns(head.columns.shifted(by: 2 * size))
        .multiply(dropped.transposed, context.plain)
      let scores = Scratch.square(scratch.scoreGradient, head.rows.count)
      scores.multiply(context.plain, head.value.transposed)
      scores.softmaxRowsBackward(probabilities: head.probabilities, kept: dropped)
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
  /// The group of tensors that begins with this one, seen as a single tensor of `shape`.
  ///
  /// The tensors of a group lie end to end in the flat vector, so one product computes all three
  /// projections.
  fileprivate func widened(to shape: [Int]) -> Parameter {
    Parameter(name: name, shape: shape, offset: offset, initialization: initialization)
  }
}
