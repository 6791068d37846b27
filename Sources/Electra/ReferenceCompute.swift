import Layers

/// Training compute as the paper counts it: the reference's `flops_computation.py`, operation by
/// operation, so that runs here can be set against the paper's tables at equal compute.
///
/// It counts a multiplication and an addition as two, the backward pass as one forward pass (a real one
/// costs two), every token as taking part in the embedding's product with a one-hot vector, and
/// sequences that are always full. What a step really multiplies is `StepProducts`.
package struct ReferenceCompute: Sendable {
  /// One transformer by itself.
  package struct Network: Sendable {
    let hidden: Double, layers: Double, intermediate: Double, heads: Double, embedding: Double
    let length: Double, vocabulary: Double
    let isDiscriminator: Bool

    package init(
      _ encoder: EncoderSizes, embedding: Int, length: Int, vocabulary: Int,
      isDiscriminator: Bool
    ) {
      hidden = Double(encoder.hiddenSize)
      layers = Double(encoder.layerCount)
      intermediate = Double(encoder.intermediateSize)
      heads = Double(encoder.headCount)
      self.embedding = Double(embedding)
      self.length = Double(length)
      self.vocabulary = Double(vocabulary)
      self.isDiscriminator = isDiscriminator
    }
  }

  // Operations an entry.
  private static let dropout = 4.0
  private static let normalization = 5.0
  private static let activation = 8.0
  private static let softmax = 5.0
  /// The share of tokens that the script lets the generator predict, whatever the mask fraction is.
  private static let predictedShare = 0.15625

  /// The operations of training on one sequence.
  package static func sequence(_ networks: [Network]) -> Double {
    networks.reduce(0) { sum, network in
      let head = network.isDiscriminator ? verdict(network) : prediction(network)
      return sum + 2 * network.length * (network.layers * block(network) + input(network) + head)
    }
  }

  /// A block, per token. The normalisation behind attention is counted for one entry only, a slip of
  /// the script that its published numbers contain.
  private static func block(_ n: Network) -> Double {
    let (h, i) = (n.hidden, n.intermediate)
    let scores = n.length * n.heads
    let attention =
      6 * h * h + 3 * h + 2 * h * n.length + softmax * scores + dropout * scores + scores
      + 2 * h * n.length + 2 * h * h + h + dropout * h + h + normalization
    let feedForward =
      2 * h * i + activation * i + i + 2 * h * i + h + dropout * h + h + normalization * h
    return attention + feedForward
  }

  /// Embeddings, per token.
  private static func input(_ n: Network) -> Double {
    let (h, e) = (n.hidden, n.embedding)
    let tables = 2 * e * n.vocabulary + 2 * e * (n.length + 2) + 2 * e
    return tables + normalization * e + dropout * e + (h == e ? 0 : 2 * h * e + h)
  }

  /// The generator's head, per token.
  private static func prediction(_ n: Network) -> Double {
    let (h, e, v) = (n.hidden, n.embedding, n.vocabulary)
    let layer = 2 * h * e + e + activation * e + normalization * e
    return predictedShare * (2 * e * v + layer + softmax * v + 2 * v)
  }

  /// The discriminator's head, per token.
  private static func verdict(_ n: Network) -> Double {
    2 * n.hidden * n.hidden + n.hidden + activation * n.hidden + 2 * n.hidden
  }
}

extension PretrainingConfiguration {
  /// The whole run's compute as the paper counts it (ELECTRA, table 8).
  package var referenceOperations: Double {
    func network(_ encoder: EncoderSizes, isDiscriminator: Bool) -> ReferenceCompute.Network {
      ReferenceCompute.Network(
        encoder, embedding: model.embeddingSize, length: recipe.length,
        vocabulary: model.vocabularySize, isDiscriminator: isDiscriminator)
    }
    let sequence = ReferenceCompute.sequence([
      network(model.discriminator, isDiscriminator: true),
      network(model.generator, isDiscriminator: false),
    ])
    return Double(recipe.batchSize) * Double(recipe.steps) * sequence
  }
}

/// The BERTs that the paper compares itself with.
package enum ReferenceBERT: String, Sendable, CaseIterable {
  case small = "BERT-Small"
  case base = "BERT-Base"
  case large = "BERT-Large"

  /// The compute of its training, as the paper counts it.
  package var operations: Double {
    let (embedding, width, layers, length, batch, steps) =
      switch self {
      case .small: (128, 256, 12, 128, 128, 1.45e6)
      case .base: (768, 768, 12, 512, 256, 1e6)
      case .large: (1024, 1024, 24, 512, 256, 1e6)
      }
    let encoder = EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: width / 64, intermediateSize: 4 * width)
    let network = ReferenceCompute.Network(
      encoder, embedding: embedding, length: length, vocabulary: 30_522, isDiscriminator: false)
    return Double(batch) * steps * ReferenceCompute.sequence([network])
  }
}
