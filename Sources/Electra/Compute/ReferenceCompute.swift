import Layers

/// Training compute as the paper counts it, for comparisons with the paper's tables at equal
/// compute.
///
/// It follows the reference's `flops_computation.py` operation by operation. The script counts a
/// multiply-add as two operations, the backward pass as one forward pass (it costs two), the
/// embedding as a product with one-hot vectors, and all sequences as full. For the operations that
/// a step really performs see `PretrainingConfiguration.productsPerToken`.
package struct ReferenceCompute: Sendable {
  /// One transformer with its heads.
  package struct Network: Sendable {
    let hidden: Double, layers: Double, intermediate: Double, heads: Double, embedding: Double
    let length: Double, vocabulary: Double
    let outputHeads: [Head]
    /// Forward passes per training step, each backward pass counted as one forward pass.
    let passes: Double

    /// A head of a transformer.
    package enum Head: Sendable {
      /// The discriminator's head, at every token.
      case detection
      /// A softmax over the vocabulary, at this fraction of the tokens.
      case prediction(share: Double)
    }

    /// A transformer of these sizes on sequences of `length` tokens.
    package init(
      _ encoder: EncoderSizes, embedding: Int, length: Int, vocabulary: Int, outputHeads: [Head],
      passes: Double = 2
    ) {
      self.passes = passes
      hidden = Double(encoder.hiddenSize)
      layers = Double(encoder.layerCount)
      intermediate = Double(encoder.intermediateSize)
      heads = Double(encoder.headCount)
      self.embedding = Double(embedding)
      self.length = Double(length)
      self.vocabulary = Double(vocabulary)
      self.outputHeads = outputHeads
    }
  }

  // Operations per entry.
  private static let dropout = 4.0
  private static let normalization = 5.0
  private static let activation = 8.0
  private static let softmax = 5.0
  /// The fraction of tokens that the generator predicts in the script, whatever the mask fraction
  /// is.
  fileprivate static let predictedShare = 0.15625

  /// The operations of one training step on one sequence.
  package static func sequence(_ networks: [Network]) -> Double {
    networks.reduce(0) { sum, network in
      let outputHeads = network.outputHeads.reduce(0) { sum, head in
        switch head {
        case .detection: sum + discriminatorHead(network)
        case .prediction(let share): sum + share * prediction(network)
        }
      }
      return sum
        + network.passes * network.length
        * (network.layers * block(network) + input(network) + outputHeads)
    }
  }

  /// An encoder layer, per token.
  ///
  /// The normalisation after attention is counted for one entry only: an error of the script that
  /// is part of the published numbers.
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

  /// A head over the vocabulary, per token that it predicts.
  private static func prediction(_ n: Network) -> Double {
    let (h, e, v) = (n.hidden, n.embedding, n.vocabulary)
    let layer = 2 * h * e + e + activation * e + normalization * e
    return 2 * e * v + layer + softmax * v + 2 * v
  }

  /// The discriminator's head, per token.
  private static func discriminatorHead(_ n: Network) -> Double {
    2 * n.hidden * n.hidden + n.hidden + activation * n.hidden + 2 * n.hidden
  }
}

extension PretrainingConfiguration {
  /// The operations of the current phase as the paper counts them (ELECTRA, table 8).
  package var referenceOperations: Double {
    func network(
      _ encoder: EncoderSizes, _ outputHeads: [ReferenceCompute.Network.Head],
      _ passes: PretrainingTask.Scheme.Passes
    ) -> ReferenceCompute.Network {
      ReferenceCompute.Network(
        encoder, embedding: model.embeddingSize, length: recipe.length,
        vocabulary: model.vocabularySize, outputHeads: outputHeads,
        passes: passes.forward + passes.backward)
    }
    let task = recipe.task
    let masked = ReferenceCompute.predictedShare
    let predicted = task.objective.lossCoversAllTokens ? 1 : masked
    var networks = [
      network(
        model.discriminator,
        (task.objective.detects ? [.detection] : [])
          + (task.objective.predicts ? [.prediction(share: predicted)] : []),
        task.scheme.passes.encoder)
    ]
    if task.hasGenerator {
      networks.append(
        network(
          model.generator, [.prediction(share: masked)], task.scheme.passes.generator))
    }
    let sequence = ReferenceCompute.sequence(networks)
    return Double(recipe.batchSize) * Double(recipe.steps) * sequence
  }
}

/// The BERT models in the paper's comparisons.
package enum ReferenceBERT: String, Sendable, CaseIterable {
  case small = "BERT-Small"
  case base = "BERT-Base"
  case large = "BERT-Large"

  /// The operations of its training as the paper counts them.
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
      encoder, embedding: embedding, length: length, vocabulary: 30_522,
      outputHeads: [.prediction(share: ReferenceCompute.predictedShare)])
    return Double(batch) * steps * ReferenceCompute.sequence([network])
  }
}
