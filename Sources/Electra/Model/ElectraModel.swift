import Layers
import Tensors

/// Generator and discriminator with shared embeddings, or the parts of them that a task trains.
///
/// (Clark et al. 2020, section 2.) The flat vector holds the shared embeddings, then the generator,
/// then the discriminator. Parameters have Hugging Face's names, with the prefix `generator.` or
/// `discriminator.` where both networks have the same one.
package struct ElectraModel: Sendable {
  package let sizes: ElectraSizes
  package let task: PretrainingTask
  package let layout: ParameterLayout
  /// The network that generates samples; nil if the task trains none.
  ///
  /// If all weights are shared, its encoder is the discriminator's.
  package let generator: LanguageModel?
  /// The REINFORCE baseline; nil unless training is adversarial.
  package let baseline: RewardBaseline?
  /// The discriminator's encoder, the product of pre-training.
  package let discriminator: Network
  /// The head that detects replaced tokens; nil if the objective has none.
  package let discriminatorHead: DiscriminatorHead?
  /// The discriminator's encoder with a head over the vocabulary; nil unless the objective predicts
  /// tokens.
  package let predictor: LanguageModel?
  /// The range of the discriminator's embeddings in the flat vector, shared unless the task says
  /// so.
  package let embeddingRange: Range<Int>
  /// The range of the generator without shared embeddings; empty if there is no separate generator.
  let generatorRange: Range<Int>
  /// The range of the discriminator's encoder and heads.
  let discriminatorRange: Range<Int>

  /// The parts in the order in which their gradients become final.
  ///
  /// In adversarial training the generator comes after the discriminator, whose loss is its reward.
  package var gradientOrder: [Range<Int>] {
    let parts = Array(discriminator.parts(of: discriminatorRange).reversed())
    let both =
      task.scheme == .adversarial ? parts + [generatorRange] : [generatorRange] + parts
    return (both + [embeddingRange]).filter { !$0.isEmpty }
  }

  /// The ranges whose weights the generator's forward pass reads.
  var generatorWeightRanges: [Range<Int>] {
    [embeddingRange, generatorRange] + (task.sharing == .all ? [discriminatorRange] : [])
  }

  /// The range whose gradient is final after the generator's backward pass.
  ///
  /// With all weights shared, that is its head only: the encoder also belongs to the discriminator.
  var generatorOnlyRange: Range<Int> {
    task.sharing == .all ? generator?.headRange ?? generatorRange : generatorRange
  }

  /// The parts in the order in which a step first reads their weights.
  package var weightOrder: [Range<Int>] {
    ([embeddingRange, generatorRange] + discriminator.parts(of: discriminatorRange))
      .filter { !$0.isEmpty }
  }

  /// Declares the parameters that `task` trains, and no others.
  package init(_ sizes: ElectraSizes, _ task: PretrainingTask = PretrainingTask()) {
    self.sizes = sizes
    self.task = task
    var layout = ParameterLayout()
    var embeddings = Embeddings(
      sizes[.discriminator], areDifferences: task.isDisentangled, in: &layout)
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
      let generatorEmbeddings =
        task.generatorHasEmbeddings
        ? Embeddings(sizes[.generator], named: "generator.embeddings", in: &layout) : embeddings
      if task.isDisentangled { embeddings.setBase(generatorEmbeddings) }
      generator = languageModel(
        network("generator", sizes.generator, generatorEmbeddings), .generator)
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
