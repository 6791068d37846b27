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
  /// What makes the samples; nil where nothing is learnt for that. Where all weights are shared its
  /// network is the discriminator.
  package let generator: LanguageModel?
  /// What reward of the generator is usual; nil where it learns by imitation.
  package let baseline: RewardBaseline?
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

  /// The parts in the order in which their gradients become final. A generator that learns from the
  /// discriminator's verdict is behind it.
  package var gradientOrder: [Range<Int>] {
    let parts = Array(discriminator.parts(of: discriminatorRange).reversed())
    let both =
      task.scheme == .adversarial ? parts + [generatorRange] : [generatorRange] + parts
    return (both + [embeddingRange]).filter { !$0.isEmpty }
  }

  /// The parts that the generator's pass reads.
  var generatorReads: [Range<Int>] {
    [embeddingRange, generatorRange] + (task.sharing == .all ? [discriminatorRange] : [])
  }

  /// What is final when the generator has learnt.
  var generatorOwns: Range<Int> {
    task.sharing == .all ? generator?.headRange ?? generatorRange : generatorRange
  }

  /// The parts in the order in which a step first reads their weights.
  package var weightOrder: [Range<Int>] {
    ([embeddingRange, generatorRange] + discriminator.parts(of: discriminatorRange))
      .filter { !$0.isEmpty }
  }

  package init(_ sizes: ElectraSizes, _ task: PretrainingTask = PretrainingTask()) {
    self.sizes = sizes
    self.task = task
    var layout = ParameterLayout()
    let embeddings = Embeddings(sizes[.discriminator], in: &layout)
    let generatorStart = layout.count
    func network(_ name: String, _ encoder: EncoderSizes, _ embeddings: Embeddings) -> Network {
      Network(
        name, embeddings: embeddings, embeddingSize: sizes.embeddingSize, encoder, in: &layout)
    }
    func languageModel(_ network: Network, _ names: VocabularyHead.Names) -> LanguageModel {
      LanguageModel(
        network, names: names, embeddingSize: sizes.embeddingSize,
        vocabularySize: sizes.vocabularySize, in: &layout)
    }
    var generator: LanguageModel?
    if task.hasGenerator && task.sharing != .all {
      let own =
        task.sharing == .none
        ? Embeddings(sizes[.generator], named: "generator.embeddings", in: &layout) : embeddings
      generator = languageModel(network("generator", sizes.generator, own), .generator)
    }
    baseline =
      task.scheme == .adversarial ? RewardBaseline(sizes.generator, in: &layout) : nil
    let discriminatorStart = layout.count
    discriminator = network("discriminator", sizes.discriminator, embeddings)
    discriminatorHead =
      task.objective.detects ? DiscriminatorHead(sizes.discriminator, in: &layout) : nil
    predictor = task.objective.predicts ? languageModel(discriminator, .discriminator) : nil
    if task.hasGenerator && task.sharing == .all {
      generator = languageModel(discriminator, .generator)
    }
    self.generator = generator
    embeddingRange = 0..<generatorStart
    generatorRange = generatorStart..<discriminatorStart
    discriminatorRange = discriminatorStart..<layout.count
    self.layout = layout
  }
}
