import Layers
import Tensors

/// Generator and discriminator with shared embeddings (Clark et al. 2020, section 2).
///
/// The flat vector holds the shared embeddings, then the generator, then the discriminator. Names
/// are Hugging Face's, with `generator.` or `discriminator.` before what both networks have.
package struct ElectraModel: Sendable {
  package let sizes: ElectraSizes
  package let layout: ParameterLayout
  package let generator: Network
  package let generatorHead: GeneratorHead
  package let discriminator: Network
  package let discriminatorHead: DiscriminatorHead
  /// Where in the flat vector each part lies.
  package let embeddingRange: Range<Int>
  package let generatorRange: Range<Int>
  package let discriminatorRange: Range<Int>
  /// The discriminator's head.
  let headRange: Range<Int>

  /// The parts in the order in which their gradients become final.
  package var finishingOrder: [Range<Int>] {
    [generatorRange] + discriminator.parts(of: discriminatorRange).reversed() + [embeddingRange]
  }

  /// The parts in the order in which a step first reads their weights.
  package var readingOrder: [Range<Int>] {
    [embeddingRange, generatorRange] + discriminator.parts(of: discriminatorRange)
  }

  package init(_ sizes: ElectraSizes) {
    self.sizes = sizes
    var layout = ParameterLayout()
    let embeddings = Embeddings(sizes[.discriminator], in: &layout)
    let generatorStart = layout.count
    generator = Network(
      "generator", embeddings: embeddings, embeddingSize: sizes.embeddingSize, sizes.generator,
      in: &layout)
    generatorHead = GeneratorHead(
      embeddings: embeddings, embeddingSize: sizes.embeddingSize,
      vocabularySize: sizes.vocabularySize, sizes.generator, in: &layout)
    let discriminatorStart = layout.count
    discriminator = Network(
      "discriminator", embeddings: embeddings, embeddingSize: sizes.embeddingSize,
      sizes.discriminator, in: &layout)
    let headStart = layout.count
    discriminatorHead = DiscriminatorHead(sizes.discriminator, in: &layout)
    headRange = headStart..<layout.count
    embeddingRange = 0..<generatorStart
    generatorRange = generatorStart..<discriminatorStart
    discriminatorRange = discriminatorStart..<layout.count
    self.layout = layout
  }
}
