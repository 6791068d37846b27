import Layers
import Tokenization

/// Everything that decides the result of a pre-training run: sizes, recipe and seed. Written beside
/// every checkpoint, and read back by whatever goes on from it.
package struct PretrainingConfiguration: Sendable, Equatable, Codable {
  package var model: ElectraSizes
  /// Of the present phase.
  package var recipe: Recipe
  /// The digest of the data that the present phase trains on; nil before a run has begun.
  package var data: String?
  /// The phases before the present one; none in most runs.
  package var earlierPhases: [Phase] = []

  /// A part of a run with its own recipe and data: first short sequences, then long ones, say.
  package struct Phase: Sendable, Equatable, Codable {
    package var recipe: Recipe
    package var data: String?

    package init(recipe: Recipe, data: String?) {
      self.recipe = recipe
      self.data = data
    }
  }

  private enum CodingKeys: String, CodingKey {
    case model
    case recipe
    case data = "data_sha256"
    case earlierPhases = "earlier_phases"
  }

  package init(model: ElectraSizes, recipe: Recipe) {
    self.model = model
    self.recipe = recipe
  }

  /// A configuration that a user writes need not speak of phases.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    model = try values.decode(ElectraSizes.self, forKey: .model)
    recipe = try values.decode(Recipe.self, forKey: .recipe)
    data = try values.decodeIfPresent(String.self, forKey: .data)
    earlierPhases = try values.decodeIfPresent([Phase].self, forKey: .earlierPhases) ?? []
  }

  /// The steps of earlier phases: the present one begins with this step.
  package var firstStep: Int { earlierPhases.reduce(0) { $0 + $1.recipe.steps } }

  /// The steps of all phases.
  package var steps: Int { firstStep + recipe.steps }

  /// The samples that earlier phases took of the data of the present one.
  package var firstSample: Int {
    earlierPhases.reduce(0) {
      $1.data == data ? $0 + $1.recipe.steps * $1.recipe.batchSize : $0
    }
  }

  /// The present phase becomes an earlier one.
  package mutating func append(_ next: Phase) {
    earlierPhases.append(Phase(recipe: recipe, data: data))
    (recipe, data) = (next.recipe, next.data)
  }

  /// How the model is trained (ELECTRA, appendix A).
  package struct Recipe: Sendable, Equatable, Codable {
    /// The longest sequence.
    package var length: Int
    /// Sequences a step, over all ranks.
    package var batchSize: Int
    /// The steps of the schedule.
    package var steps: Int
    package var warmupSteps: Int
    /// The peak learning rate.
    package var learningRate: Double
    /// The share of tokens that is masked.
    package var maskFraction: Double
    /// Whether the tokens of a word are masked together.
    package var masksWholeWords: Bool
    /// The weight of the discriminator's loss beside the generator's.
    package var discriminatorWeight: Float
    package var weightDecay: Float
    package var firstDecay: Float
    package var secondDecay: Float
    package var epsilon: Float
    /// The global norm that gradients are clipped to.
    package var clipNorm: Double
    /// Parts that a batch is cut into for the reduction; a power of two. Zero before the first
    /// start, which fixes it for the run's life.
    package var slices: Int
    /// Tokens that go through the model at once.
    package var microBatchTokens: Int
    package var seed: UInt64

    private enum CodingKeys: String, CodingKey {
      case length = "max_seq_length"
      case batchSize = "train_batch_size"
      case steps = "num_train_steps"
      case warmupSteps = "num_warmup_steps"
      case learningRate = "learning_rate"
      case maskFraction = "mask_prob"
      case masksWholeWords = "mask_whole_words"
      case discriminatorWeight = "disc_weight"
      case weightDecay = "weight_decay_rate"
      case firstDecay = "adam_beta1"
      case secondDecay = "adam_beta2"
      case epsilon = "adam_epsilon"
      case clipNorm = "clip_norm"
      case slices
      case microBatchTokens = "micro_batch_tokens"
      case seed
    }
  }

  /// The objective of this run on data of `vocabulary`.
  package func objective(model: ElectraModel, vocabulary: Vocabulary) -> PretrainingObjective {
    let masking = Masking(
      fraction: recipe.maskFraction, maximumLength: recipe.length, special: vocabulary.special,
      continuations: recipe.masksWholeWords ? vocabulary.continuations : [], seed: recipe.seed)
    return PretrainingObjective(
      model: model, masking: masking, discriminatorWeight: recipe.discriminatorWeight,
      microBatchTokens: recipe.microBatchTokens, longest: recipe.length, seed: recipe.seed)
  }

  /// What is wrong with it, as one sentence; nil when nothing is.
  package var problem: String? {
    for (name, value) in [
      ("length", recipe.length), ("batch", recipe.batchSize), ("steps", recipe.steps),
      ("micro-batch", recipe.microBatchTokens), ("vocabulary size", model.vocabularySize),
      ("embedding size", model.embeddingSize),
      ("generator layers", model.generator.layerCount),
      ("discriminator layers", model.discriminator.layerCount),
    ] where value < 1 {
      return "\(name) is \(value); it must be at least 1"
    }
    if recipe.length > model.positionCount {
      return "a length of \(recipe.length) is above the model's \(model.positionCount) positions"
    }
    for (name, sizes) in [("generator", model.generator), ("discriminator", model.discriminator)]
    where sizes.headCount < 1 || sizes.hiddenSize % sizes.headCount != 0 {
      return "the \(name)'s \(sizes.headCount) heads do not divide its width \(sizes.hiddenSize)"
    }
    if !(recipe.maskFraction > 0 && recipe.maskFraction < 0.5) {
      return "a mask fraction of \(recipe.maskFraction) is not between 0 and 0.5"
    }
    return nil
  }
}
