import Layers
import Tensors
import Tokenization

/// Everything that determines the result of a pre-training run: sizes, recipe (with the seed), data
/// and earlier phases.
///
/// It is written beside every checkpoint as `config.json`, and read to resume or use the model.
/// Ranks and threads do not appear: they do not affect the result.
package struct PretrainingConfiguration: Sendable, Equatable, Codable {
  package var model: ElectraSizes
  /// The recipe of the current phase.
  package var recipe: Recipe
  /// The arithmetic of matrix products, in all phases.
  package var arithmetic = Arithmetic.float32
  /// How gradients and weights are sent between ranks, in all phases.
  package var exchange = ExchangeFormat.float32
  /// The level of an exchange in bfloat16; nil before the run starts, and in float32.
  package var exchangeLevel: Int?
  /// The digest of the training data of the current phase; nil before the run starts.
  package var data: String?
  /// The completed phases; most runs have none.
  package var earlierPhases: [Phase] = []

  /// A part of a run with a separate recipe and data, such as long sequences after short ones.
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
    case arithmetic, exchange
    case exchangeLevel = "exchange_level"
    case data = "data_sha256"
    case earlierPhases = "earlier_phases"
  }

  /// A configuration of a run of one phase.
  package init(model: ElectraSizes, recipe: Recipe) {
    self.model = model
    self.recipe = recipe
  }

  /// Reads a configuration; files that users write may omit arithmetic, exchange, data and phases.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    model = try values.decode(ElectraSizes.self, forKey: .model)
    recipe = try values.decode(Recipe.self, forKey: .recipe)
    arithmetic = try values.decode(Arithmetic.self, forKey: .arithmetic)
    exchange = try values.decode(ExchangeFormat.self, forKey: .exchange)
    exchangeLevel = try values.decodeIfPresent(Int.self, forKey: .exchangeLevel)
    data = try values.decodeIfPresent(String.self, forKey: .data)
    earlierPhases = try values.decodeIfPresent([Phase].self, forKey: .earlierPhases) ?? []
    if let problem = phaseProblem {
      throw DecodingError.dataCorruptedError(
        forKey: .earlierPhases, in: values, debugDescription: problem)
    }
  }

  /// The number of steps of earlier phases, which is the first step of the current one.
  package var firstStep: Int { earlierPhases.reduce(0) { $0 + $1.recipe.steps } }

  /// The number of steps of all phases.
  package var steps: Int { firstStep + recipe.steps }

  /// The longest sequence of all phases, in tokens.
  package var longest: Int { earlierPhases.reduce(recipe.length) { max($0, $1.recipe.length) } }

  /// The number of examples that earlier phases read from the data of the current phase.
  package var firstSample: Int {
    earlierPhases.reduce(0) {
      $1.data == data ? $0 + $1.recipe.steps * $1.recipe.batchSize : $0
    }
  }

  /// Makes `next` the current phase and the current phase an earlier one.
  package mutating func append(_ next: Phase) {
    earlierPhases.append(Phase(recipe: recipe, data: data))
    (recipe, data) = (next.recipe, next.data)
  }

  /// Declares the model that the task of the recipe trains.
  package func makeModel() -> ElectraModel { ElectraModel(model, recipe.task) }

  /// The objective of the current phase on data of `vocabulary`.
  ///
  /// A unigram generator still needs its `sampler`.
  package func objective(model: ElectraModel, vocabulary: Vocabulary) -> PretrainingObjective {
    var objective = objective(
      model: model, special: vocabulary.special,
      continuations: recipe.masksWholeWords ? vocabulary.continuations : [])
    if recipe.task.generator == .uniform {
      objective.sampler = TokenSampler(counts: Array(repeating: 1, count: vocabulary.size))
    }
    return objective
  }

  /// The objective of the current phase.
  ///
  /// `continuations` says for each id whether it continues a word; it is empty without whole-word
  /// masking. A unigram or uniform generator still needs its `sampler`.
  package func objective(
    model: ElectraModel, special: SpecialTokens, continuations: [Bool] = []
  ) -> PretrainingObjective {
    let rules = Masking.Rules(
      continuations: continuations,
      maskingRule: recipe.task.objective == .mlm || recipe.task.objective.masksAndReplaces
        ? .bert(vocabularySize: model.sizes.vocabularySize) : .electra,
      drawsWithReplacement: recipe.task.drawsWithReplacement,
      replacedFraction: recipe.task.objective.masksAndReplaces ? recipe.replacedShare : 0)
    let masking = Masking(
      fraction: recipe.maskFraction, maximumLength: recipe.length, special: special, rules: rules,
      seed: recipe.seed)
    var objective = PretrainingObjective(
      model: model, masking: masking, discriminatorWeight: recipe.discriminatorWeight,
      microBatchTokens: recipe.microBatchTokens, longest: recipe.length, seed: recipe.seed)
    objective.arithmetic = arithmetic
    if recipe.task.scheme.hasStages { objective.secondStage = firstStep + recipe.steps / 2 }
    objective.discriminatorRamp = rampSteps
    return objective
  }

  /// The steps in which the weight of the discriminator's loss rises; nil for a constant weight.
  package var rampSteps: Range<Int>? {
    recipe.discriminatorRamp.map { ramp in
      let steps = ramp.map { firstStep + Int(($0 * Double(recipe.steps)).rounded()) }
      return steps[0]..<steps[1]
    }
  }
}
