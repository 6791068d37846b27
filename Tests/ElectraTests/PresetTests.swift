import Electra
import Testing

struct PresetTests {
  /// The settings of a recipe that depend on the objective.
  private struct Choice: Equatable {
    var optimizer: Optimizer?
    var masked = 0.15
    var weight: Float = 50
    var ramp: [Double]?
    var generator = PretrainingTask.Generator.transformer
    var steps = 5000
    var warmup = 1500

    init(_ change: (inout Choice) -> Void) { change(&self) }

    init(_ recipe: PretrainingConfiguration.Recipe) {
      (optimizer, masked, weight) = (
        recipe.optimizer, recipe.maskFraction, recipe.discriminatorWeight
      )
      (ramp, generator) = (recipe.discriminatorRamp, recipe.task.generator)
      (steps, warmup) = (recipe.steps, recipe.warmupSteps)
    }
  }

  @Test(arguments: PretrainingTask.Objective.allCases)
  func tinyHasARecipeForEachObjective(objective: PretrainingTask.Objective) {
    let expected: Choice =
      switch objective {
      case .electra, .electra15: Choice { _ in }
      case .replaceMLM, .allTokensMLM: Choice { $0.weight = 1 }
      case .mlm:
        Choice {
          ($0.optimizer, $0.masked, $0.weight, $0.steps, $0.warmup) = (.muon, 0.25, 1, 3500, 1050)
        }
      case .mlmRTD:
        Choice {
          ($0.optimizer, $0.masked, $0.weight, $0.steps, $0.warmup) = (.muon, 0.25, 10, 3500, 1050)
          ($0.ramp, $0.generator) = ([0.1, 0.4], .unigram)
        }
      }
    let configuration = Preset.tiny.configuration(vocabularySize: 4096, objective: objective)
    #expect(Choice(configuration.recipe) == expected)
    #expect(configuration.recipe.task.objective == objective)
    #expect(configuration.problem == nil)
  }

  @Test(arguments: Preset.allCases)
  func thePapersPresetsAreElectra(preset: Preset) {
    #expect((preset.objective == .electra) == (preset != .tiny))
    let recipe = preset.configuration(vocabularySize: 4096).recipe
    #expect(recipe.task == PretrainingTask() && recipe.optimizer == nil)
  }
}
