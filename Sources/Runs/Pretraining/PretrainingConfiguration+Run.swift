import Electra
import Platform
import Tensors
import Training

extension PretrainingConfiguration {
  /// The steps at which a checkpoint is kept for good: 6.25, 12.5, 25, 50 and 100 % of each phase, as
  /// in the paper's table 1.
  var milestones: Set<Int> {
    var (result, first): (Set<Int>, Int) = ([], 0)
    for phase in earlierPhases.map(\.recipe) + [recipe] {
      result.formUnion([16, 8, 4, 2, 1].map { first + phase.steps / $0 })
      first += phase.steps
    }
    return result.subtracting([0])
  }

  package var trainerSettings: TrainerSettings {
    TrainerSettings(
      batchSize: recipe.batchSize, sliceCount: recipe.slices,
      schedule: LearningRateSchedule(
        learningRate: recipe.learningRate, firstStep: firstStep, steps: recipe.steps,
        warmupSteps: recipe.warmupSteps, cycles: recipe.task.scheme.hasStages ? 2 : 1),
      adam: AdamHyperparameters(
        beta1: recipe.beta1, beta2: recipe.beta2, epsilon: recipe.epsilon,
        weightDecay: recipe.weightDecay),
      clipNorm: recipe.clipNorm)
  }
}

extension PretrainingConfiguration.Recipe {
  /// The course of the learning rate, in words.
  var schedule: String {
    "\(fields.steps.grouped) steps of \(fields.batchSize) sequences, at most "
      + "\(tokens.grouped) tokens; the rate rises to \(fields.learningRate) in "
      + "\(fields.warmupSteps.grouped) steps and falls to 0 at the end"
  }
}
