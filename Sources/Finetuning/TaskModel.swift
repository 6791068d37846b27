import Electra
import Layers
import Tensors

/// An encoder with a head for a task.
///
/// Parameters have the names that transformers gives them (`electra.encoder.layer.0...`,
/// `classifier.out_proj.weight`), so the file of the weights is the one that transformers loads. The
/// flat vector holds the embeddings, the encoder, and the head.
package struct TaskModel: Sendable {
  package let sizes: NetworkSizes
  package let style: HeadStyle
  package let layout: ParameterLayout
  private let network: Network
  private let head: any Head
  /// The last layer of a head for labels and scores.
  let scoreLayer: Linear?
  private let embeddingRange: Range<Int>
  private let headRange: Range<Int>

  /// - Parameters:
  ///   - outputs: C: the number of labels or tags; 1 for a score; not asked for spans.
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
    case (.classification, _), (.regression, _):
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

  /// Whether `parameter` belongs to the encoder, which pre-training has trained.
  package func isPretrained(_ parameter: Parameter) -> Bool {
    parameter.offset < headRange.lowerBound
  }

  /// Encoder and head, from below, in parts that travel by themselves.
  private var parts: [Range<Int>] {
    network.parts(of: embeddingRange.upperBound..<layout.count)
  }
  var gradientOrder: [Range<Int>] { parts.reversed() + [embeddingRange] }
  var weightOrder: [Range<Int>] { [embeddingRange] + parts }

  /// The share of the learning rate of each parameter: `decay` to the power of L + 2 - depth, where
  /// embeddings and projection have depth 0, layer i has i + 1, and the head L + 2 (ELECTRA's
  /// `optimization.py`: no layer has L + 1).
  func rateFactors(decay: Double) -> [Float] {
    let top = sizes.encoder.layerCount + 2
    return layout.parameters.map { parameter in
      let layer = network.encoder.layerRanges.firstIndex { $0.contains(parameter.offset) }
      let depth = headRange.contains(parameter.offset) ? top : layer.map { $0 + 1 } ?? 0
      return Float((0..<top - depth).reduce(1.0) { product, _ in product * decay })
    }
  }

  /// The numbers that answer each sequence, end to end: C logits or a score; C logits for each token;
  /// what the head for spans says.
  package func answers(_ batch: Batch, weights: Storage, arena: Arena) -> [Float] {
    arena.release(to: 0)
    let pass = PassContext(batch: batch, weights: weights, gradient: nil, seed: nil)
    let activations = Network.Activations(network, pass.shape, arena: arena)
    let hidden = network.forward(
      tokens: batch.tokens, segmentIDs: batch.segmentIDs, activations, pass)
    return head.answers(HeadInput(hidden: hidden, batch: batch, arena: arena, pass: pass))
  }

  /// How many of these numbers answer a sequence of so many tokens.
  package func answerCount(tokens: Int) -> Int { head.answerCount(tokens: tokens) }

  /// Adds `weight` times the gradient of the losses of all sequences; returns their sum.
  func learn(
    _ batch: Batch, targets: [Target], weight: Float, arena: Arena, _ pass: PassContext
  ) -> Double {
    arena.release(to: 0)
    pass.progress?.willRead(embeddingRange)
    let activations = Network.Activations(network, pass.shape, arena: arena)
    let hidden = network.forward(
      tokens: batch.tokens, segmentIDs: batch.segmentIDs, activations, pass)
    pass.progress?.willRead(headRange)
    let gradient = arena.tensor(hidden.rows, hidden.columns)
    let loss = head.learn(
      HeadInput(hidden: hidden, batch: batch, arena: arena, pass: pass), targets: targets,
      weight: weight, into: gradient)
    pass.progress?.didFinish(headRange)
    network.backward(
      gradient, tokens: batch.tokens, segmentIDs: batch.segmentIDs, activations, arena: arena, pass)
    pass.progress?.didFinish(embeddingRange)
    return loss
  }

  /// The floats that a micro-batch of this shape takes of an arena.
  package func capacity(_ shape: BatchShape) -> Int {
    Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      for width in [sizes.encoder.hiddenSize, sizes.embeddingSize] {
        _ = arena.tensor(shape.tokens, width)
      }
      head.reserve(shape, arena: arena)
    }
  }
}
