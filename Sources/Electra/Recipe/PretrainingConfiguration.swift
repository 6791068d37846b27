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

  /// The model that the recipe's task trains.
  package func makeModel() -> ElectraModel { ElectraModel(model, recipe.task) }

  /// The objective of this run on data of `vocabulary`.
  package func objective(model: ElectraModel, vocabulary: Vocabulary) -> PretrainingObjective {
    objective(
      model: model, special: vocabulary.special,
      continuations: recipe.masksWholeWords ? vocabulary.continuations : [])
  }

  /// The objective of this run.
  ///
  /// - Parameter continuations: for each id whether it continues a word, for masking of whole words.
  package func objective(
    model: ElectraModel, special: SpecialTokens, continuations: [Bool] = []
  ) -> PretrainingObjective {
    let rules = Masking.Rules(
      continuations: continuations,
      maskingRule: recipe.task.objective == .mlm
        ? .bert(vocabularySize: model.sizes.vocabularySize) : .electra,
      drawsWithReplacement: recipe.task.drawsWithReplacement)
    let masking = Masking(
      fraction: recipe.maskFraction, maximumLength: recipe.length, special: special, rules: rules,
      seed: recipe.seed)
    var objective = PretrainingObjective(
      model: model, masking: masking, discriminatorWeight: recipe.discriminatorWeight,
      microBatchTokens: recipe.microBatchTokens, longest: recipe.length, seed: recipe.seed)
    if recipe.task.scheme.hasStages { objective.secondStage = firstStep + recipe.steps / 2 }
    return objective
  }

  private static let largestBatch = 1 << 20

  /// What is wrong with it, as one sentence; nil when nothing is.
  package var problem: String? { problemOfNumbers ?? recipe.task.problem(model) }

  /// The same without regard to its task, whose options may still change the sizes.
  package var problemOfNumbers: String? {
    for (name, value) in [
      ("length", recipe.length), ("batch", recipe.batchSize), ("steps", recipe.steps),
      ("micro-batch", recipe.microBatchTokens),
    ] where value < 1 {
      return "\(name) is \(value); it must be at least 1"
    }
    if recipe.warmupSteps < 0 { return "warmup is \(recipe.warmupSteps); it must be at least 0" }
    if recipe.batchSize > Self.largestBatch {
      return "a batch of \(recipe.batchSize) is above \(Self.largestBatch)"
    }
    let tokens = Double(recipe.length) * Double(recipe.batchSize) * Double(recipe.steps)
    if tokens > 1e18 { return "\(tokens) tokens are more than can be counted" }
    for part in [ModelPart.generator, .discriminator] {
      if let problem = model[part].problem { return "the \(part.rawValue)'s \(problem)" }
    }
    if !(recipe.learningRate >= 0 && recipe.learningRate.isFinite) {
      return "a learning rate of \(recipe.learningRate) is not 0 or more"
    }
    if recipe.length > model.positionCount {
      return "a length of \(recipe.length) is above the model's \(model.positionCount) positions"
    }
    if !(recipe.maskFraction > 0 && recipe.maskFraction < 0.5) {
      return "a mask fraction of \(recipe.maskFraction) is not between 0 and 0.5"
    }
    if !(recipe.discriminatorWeight >= 0 && recipe.discriminatorWeight.isFinite) {
      return
        "a weight of \(recipe.discriminatorWeight) for the discriminator's loss is not 0 or more"
    }
    if recipe.masksWholeWords && recipe.task.drawsWithReplacement {
      return "whole words are not drawn with replacement; leave out one of the two"
    }
    return nil
  }
}
