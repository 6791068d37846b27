import Electra
import Layers
import Tensors

/// An encoder with a head for a task.
///
/// Parameters have the names of Hugging Face's transformers (`electra.encoder.layer.0...`,
/// `classifier.out_proj.weight`), so transformers loads the file of weights as it is. The flat
/// vector holds the embeddings, the encoder and the head, in this order.
package struct TaskModel: Sendable {
  package let sizes: NetworkSizes
  package let style: HeadStyle
  package let layout: ParameterLayout
  private let network: Network
  private let head: any Head
  /// The last layer of a head for labels and scores; nil for other heads.
  let scoreLayer: Linear?
  private let embeddingRange: Range<Int>
  private let headRange: Range<Int>

  /// Declares the parameters of encoder and head.
  ///
  /// - Parameters:
  ///   - sizes: the encoder.
  ///   - problem: selects the head, together with `style`.
  ///   - outputs: C, the number of labels or tags; 1 for a score; ignored for spans.
  ///   - style: selects the head, together with `problem`.
  package init(_ sizes: NetworkSizes, _ problem: Problem, outputs: Int, style: HeadStyle) {
    self.sizes = sizes
    self.style = style
    var layout = ParameterLayout()
    let embeddings = Embeddings(sizes, named: "electra.embeddings", in: &layout)
    embeddingRange = 0..<layout.count
    network = Network(
      "electra", embeddings: embeddings, embeddingSize: sizes.embeddingSize, sizes.encoder,
      in: &layout)
    let start = layout.count
    switch (problem, style) {
    case (.classification, _), (.multilabel, _), (.regression, _):
      let head = SequenceHead(sizes.encoder, outputs: outputs, style: style, in: &layout)
      (self.head, scoreLayer) = (head, head.output)
    case (.tagging, _):
      head = TagHead(sizes.encoder, outputs: outputs, style: style, in: &layout)
      scoreLayer = nil
    case (.span, .transformers): (head, scoreLayer) = (SpanHead(sizes.encoder, in: &layout), nil)
    case (.span, .reference):
      (head, scoreLayer) = (JointSpanHead(sizes.encoder, in: &layout), nil)
    }
    headRange = start..<layout.count
    self.layout = layout
  }

  /// Whether `parameter` belongs to embeddings or encoder, which pre-training has trained.
  package func isPretrained(_ parameter: Parameter) -> Bool {
    parameter.offset < headRange.lowerBound
  }

  /// The number of parameters of embeddings and encoder.
  package var encoderParameterCount: Int {
    layout.parameters.filter(isPretrained).reduce(0) { $0 + $1.count }
  }

  /// Encoder and head in forward order, in parts that are exchanged between ranks one by one.
  private var parts: [Range<Int>] {
    network.parts(of: embeddingRange.upperBound..<layout.count)
  }
  var gradientOrder: [Range<Int>] { parts.reversed() + [embeddingRange] }
  var weightOrder: [Range<Int>] { [embeddingRange] + parts }

  /// The factor of the learning rate for each parameter, in the order of `layout.parameters`.
  ///
  /// It is `decay` to the power of L + 2 - depth. Embeddings and projection have depth 0, layer i
  /// has depth i + 1, and the head has depth L + 2; no parameter has depth L + 1 (ELECTRA's
  /// `optimization.py`).
  func learningRateFactors(decay: Double) -> [Float] {
    let top = sizes.encoder.layerCount + 2
    return layout.parameters.map { parameter in
      let layer = network.encoder.layerRanges.firstIndex { $0.contains(parameter.offset) }
      let depth = headRange.contains(parameter.offset) ? top : layer.map { $0 + 1 } ?? 0
      return Float((0..<top - depth).reduce(1.0) { product, _ in product * decay })
    }
  }

  /// The outputs of each sequence without dropout, concatenated in the order of the batch.
  ///
  /// A sequence of T tokens has C logits or one score (classification, regression), (T, C) logits
  /// (tagging), (T, 2) logits (spans) or the floats of a `SpanBeam` (spans, reference).
  ///
  /// - Parameters:
  ///   - batch: one micro-batch.
  ///   - weights: the flat vector, in `layout`.
  ///   - arena: at least `capacity` floats for the batch's shape; its contents are overwritten.
  /// - Returns: `outputCount(tokens:)` floats for each sequence.
  package func outputs(_ batch: Batch, weights: Weights, arena: Arena) -> [Float] {
    arena.release(to: 0)
    let pass = PassContext(batch: batch, weights: weights, gradient: nil, seed: nil)
    return network.run(
      tokens: batch.tokens, segmentIDs: batch.segmentIDs, headRanges: [headRange], arena: arena,
      pass
    ) { hidden, _ in
      let input = HeadInput(hidden: hidden.values, batch: batch, arena: arena, pass: pass)
      return (head.outputs(input), nil)
    }
  }

  /// The number of floats that `outputs` returns for a sequence of `tokens` tokens.
  package func outputCount(tokens: Int) -> Int { head.outputCount(tokens: tokens) }

  /// Adds `weight` times the gradient of the losses to `pass.gradient`; returns the sum of the
  /// losses.
  ///
  /// Each loss is multiplied by the weight of its class; `classWeights` are empty if all are 1.
  ///
  /// Reports to `pass.progress` which weights it is about to read and which gradients are final.
  func accumulateGradients(
    _ batch: Batch, targets: [Target], classWeights: [Double], weight: Float, arena: Arena,
    _ pass: PassContext
  ) -> Double {
    arena.release(to: 0)
    pass.progress?.willRead(embeddingRange)
    defer { pass.progress?.didFinish(embeddingRange) }
    return network.run(
      tokens: batch.tokens, segmentIDs: batch.segmentIDs, headRanges: [headRange], arena: arena,
      pass
    ) { hidden, _ in
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      let input = HeadInput(
        hidden: hidden.values, batch: batch, arena: arena, pass: pass, classWeights: classWeights)
      let loss = head.accumulateGradients(input, targets: targets, weight: weight, into: gradient)
      return (loss, gradient)
    }
  }

  /// The number of floats that `outputs` or `accumulateGradients` allocates in an arena for a
  /// micro-batch of this shape.
  package func capacity(_ shape: BatchShape) -> Int {
    Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      // The gradients of the encoder's output and of its projected input.
      for width in [sizes.encoder.hiddenSize, sizes.embeddingSize] {
        _ = arena.tensor(shape.tokens, width)
      }
      head.reserve(shape, arena: arena)
    }
  }
}
