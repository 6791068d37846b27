import Collectives
import Electra
import Models
import Platform
import Tensors
import Training

extension PretrainingConfiguration {
  /// Sets the level of an exchange in bfloat16 that has none, for a first start on `ranks` ranks.
  ///
  /// The number of slices must be a power of two.
  package mutating func setExchangeLevel(ranks: Int) {
    if exchange == .bfloat16, exchangeLevel == nil {
      exchangeLevel = ReductionTree(sliceCount: recipe.slices).defaultRoundingLevel(ranks: ranks)
    }
  }

  /// The steps whose checkpoints are never removed.
  ///
  /// They are at 6.25, 12.5, 25, 50 and 100 % of each phase, as in the paper's table 1.
  var milestones: Set<Int> {
    var (result, first): (Set<Int>, Int) = ([], 0)
    for phase in earlierPhases.map(\.recipe) + [recipe] {
      result.formUnion([16, 8, 4, 2, 1].map { first + phase.steps / $0 })
      first += phase.steps
    }
    return result.subtracting([0])
  }

  /// The settings that differ from those of another configuration, one clause each.
  func changes(since other: PretrainingConfiguration) -> [String] {
    let (old, new) = (other.fields, fields)
    return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map {
      "\($0) is \(new[$0] ?? "absent") instead of \(old[$0] ?? "absent")"
    }
  }

  /// The current phase and what it changes, such as `2, from step 500` and `objective is electra
  /// instead of mlm`; nil in the first phase.
  package var phaseInWords: (position: String, changes: String)? {
    guard let last = earlierPhases.last else { return nil }
    var before = self
    (before.recipe, before.data) = (last.recipe, last.data)
    return (
      "\(earlierPhases.count + 1), from step \(firstStep.grouped)",
      changes(since: before).joined(separator: ", ")
    )
  }

  /// The optimizer settings of the current phase; two stages restart the learning rate.
  package var trainerSettings: TrainerSettings {
    var settings = TrainerSettings(
      batchSize: recipe.batchSize, sliceCount: recipe.slices, roundingLevel: roundingLevel,
      schedule: LearningRateSchedule(
        learningRate: recipe.learningRate, firstStep: firstStep, steps: recipe.steps,
        warmupSteps: recipe.warmupSteps, cycles: recipe.task.scheme.hasStages ? 2 : 1),
      adam: AdamHyperparameters(
        beta1: recipe.beta1, beta2: recipe.beta2, epsilon: recipe.epsilon,
        weightDecay: recipe.weightDecay),
      clipNorm: recipe.clipNorm)
    settings.muon = recipe.muonFactor.map {
      MuonHyperparameters(learningRateFactor: Float($0), weightDecay: recipe.weightDecay)
    }
    return settings
  }
}

extension PretrainingConfiguration.Recipe {
  /// The steps and the learning rate schedule, for the log.
  var schedule: String {
    let muon = muonFactor.map { " (Muon: \($0) times that)" } ?? ""
    return "\(fields.steps.grouped) steps of \(fields.batchSize) sequences, at most "
      + "\(tokens.grouped) tokens; learning rate \(fields.learningRate)\(muon) after "
      + "\(fields.warmupSteps.grouped) warm-up steps, then linear decay to 0"
  }
}
