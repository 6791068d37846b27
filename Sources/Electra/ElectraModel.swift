import Layers
import Tensors

/// Generator and discriminator with shared embeddings (Clark et al. 2020, section 2), or what else a
/// task trains of them.
///
/// The flat vector holds the shared embeddings, then the generator, then the discriminator. Names
/// are Hugging Face's, with `generator.` or `discriminator.` before what both networks have.
package struct ElectraModel: Sendable {
  package let sizes: ElectraSizes
  package let task: PretrainingTask
  package let layout: ParameterLayout
  /// What makes the samples; nil where nothing is learnt for that.
  package let generator: LanguageModel?
  /// The large encoder, which is what pre-training is for.
  package let discriminator: Network
  /// The head that tells replaced tokens; nil where the task has no such.
  package let discriminatorHead: DiscriminatorHead?
  /// The large encoder with a head of its own over the vocabulary; nil where the task has no such.
  package let predictor: LanguageModel?
  /// Where in the flat vector each part lies; a part that is not there is empty.
  package let embeddingRange: Range<Int>
  package let generatorRange: Range<Int>
  package let discriminatorRange: Range<Int>

  /// The discriminator cut between layers, from below, into parts of 4 MB or more, which travel
  /// while the pass is in others.
  private var discriminatorParts: [Range<Int>] {
    var cuts = [discriminatorRange.lowerBound]
    for range in discriminator.encoder.layerRanges
    where range.upperBound - (cuts.last ?? 0) >= 1 << 20
      && discriminatorRange.upperBound - range.upperBound >= 1 << 20
    {
      cuts.append(range.upperBound)
    }
    return zip(cuts, cuts.dropFirst() + [discriminatorRange.upperBound]).map { $0..<$1 }
  }

  /// The parts in the order in which their gradients become final.
  package var finishingOrder: [Range<Int>] {
    ([generatorRange] + discriminatorParts.reversed() + [embeddingRange]).filter { !$0.isEmpty }
  }

  /// The parts in the order in which a step first reads their weights.
  package var readingOrder: [Range<Int>] {
    ([embeddingRange, generatorRange] + discriminatorParts).filter { !$0.isEmpty }
  }

  package init(_ sizes: ElectraSizes, _ task: PretrainingTask = PretrainingTask()) {
    self.sizes = sizes
    self.task = task
    var layout = ParameterLayout()
    let embeddings = Embeddings(sizes[.discriminator], in: &layout)
    let generatorStart = layout.count
    func network(_ name: String, _ encoder: EncoderSizes) -> Network {
      Network(
        name, embeddings: embeddings, embeddingSize: sizes.embeddingSize, encoder, in: &layout)
    }
    func languageModel(_ network: Network, _ names: VocabularyHead.Names) -> LanguageModel {
      LanguageModel(
        network, names: names, embeddingSize: sizes.embeddingSize,
        vocabularySize: sizes.vocabularySize, in: &layout)
    }
    generator =
      task.hasGenerator
      ? languageModel(network("generator", sizes.generator), .generator) : nil
    let discriminatorStart = layout.count
    discriminator = network("discriminator", sizes.discriminator)
    discriminatorHead =
      task.goal.detects ? DiscriminatorHead(sizes.discriminator, in: &layout) : nil
    predictor = task.goal.predicts ? languageModel(discriminator, .discriminator) : nil
    embeddingRange = 0..<generatorStart
    generatorRange = generatorStart..<discriminatorStart
    discriminatorRange = discriminatorStart..<layout.count
    self.layout = layout
  }
}
