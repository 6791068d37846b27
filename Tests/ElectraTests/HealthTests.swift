import Electra
import Foundation
import Layers
import Testing

/// No warnings about published and measured runs; warnings about recipes; the published curve.
struct HealthTests {
  @Test(arguments: [5000, 1_000_000])
  func thePublishedCurveIsHealthy(steps: Int) {
    let run = HealthCourse.Run()
    #expect(
      run.warnings(to: steps, heldOut: HealthCourse.published, HealthCourse.published).isEmpty)
  }

  /// A healthy run at step 5000 that is still on the plateau (google-research/electra, issue 81).
  @Test
  func aRunBelowItsTakeOffIsHealthy() {
    var run = HealthCourse.Run()
    run.configuration.recipe.steps = 5000
    run.configuration.recipe.warmupSteps = 500
    let warnings = run.warnings(to: 5000) { _ in
      HealthCourse.line(generator: 7.13, discriminator: 0.359, replaced: 0.138, area: 0.682)
    }
    #expect(warnings.isEmpty)
  }

  /// With a loss over masked positions only, the total loss rises as the generator learns.
  ///
  /// (Sampled accuracy is .0034 at step 5,000 and .324 at 150,000 of the published run.) With a
  /// loss over all tokens the same course would be a divergence.
  @Test(arguments: [PretrainingTask.Objective.electra15, .electra])
  func theLossOfDrawnPositionsMayRise(objective: PretrainingTask.Objective) {
    var run = HealthCourse.Run()
    run.configuration.recipe.task.objective = objective
    let warnings = run.warnings(to: 300_000) { step in
      func value(_ points: [(Double, Double)]) -> Double { HealthCourse.value(points, at: step) }
      return HealthCourse.line(
        generator: value([(1, 10.33), (5000, 7.13), (150_000, 3.5)]),
        discriminator: value([(1, 0.693), (2000, 0.06), (5000, 0.025), (150_000, 0.38)]),
        replaced: value([(1, 0.99), (5000, 0.9966), (150_000, 0.676)]), area: 0.7)
    }
    #expect(warnings.contains { $0.isFatal } == (objective == .electra))
  }

  /// A measured run of `tiny` with batches of 2048 tokens.
  @Test
  func tinyIsHealthy() {
    var run = HealthCourse.Run(.tiny, vocabulary: 4096)
    (run.interval, run.unigramEntropy, run.examples, run.noise) = (50, 6.2, 150_000, 0.06)
    func course(_ step: Int) -> [MetricName: Double] {
      let skill = HealthCourse.value(
        [(1, -0.7), (200, 0), (1248, 0.043), (2080, 0.069), (2912, 0.116), (5000, 0.207)], at: step)
      return HealthCourse.line(
        generator: HealthCourse.value(
          [(1, 8.3), (200, 6.4), (1248, 5.37), (2080, 4.965), (2912, 4.683), (5000, 4.222)],
          at: step),
        discriminator: (1 - skill) * 0.38, replaced: 0.125,
        area: HealthCourse.value([(1, 0.5), (1248, 0.628), (2912, 0.733), (5000, 0.802)], at: step))
    }
    #expect(run.warnings(to: 5000, heldOut: course, course).isEmpty)
  }

  @Test(arguments: [
    (5000, 1500, nil), (2000, 1000, nil), (400, 0, nil), (2000, 1001, "--warmup 200"),
    (50, 1500, "at most 1.3e-05 of 0.0015"),
  ])
  func aWarmupOfMostStepsIsNoted(steps: Int, warmup: Int, says: String?) {
    var run = HealthCourse.Run(.tiny)
    run.configuration.recipe.steps = steps
    run.configuration.recipe.warmupSteps = warmup
    let warnings = run.warnings(to: 0) { _ in [:] }
    #expect(warnings.map(\.issue) == (says == nil ? [] : [.longWarmup]))
    for warning in warnings {
      #expect(!warning.isFatal && warning.sentence.contains(says ?? ""), "\(warning.sentence)")
    }
  }

  /// A shortened schedule has a proportional warm-up; a long one has the preset's.
  @Test(arguments: [
    (Preset.tiny, 5000, 1500), (.tiny, 20_000, 1500), (.tiny, 50, 15), (.small, 1_000_000, 10_000),
    (.small, 100_000, 10_000), (.small, 20_000, 2000), (.small, 5, 0),
  ])
  func theWarmupScalesWithFewerSteps(preset: Preset, steps: Int, warmup: Int) {
    var recipe = preset.configuration(vocabularySize: 300).recipe
    recipe.shorten(to: steps)
    #expect(recipe.steps == steps && recipe.warmupSteps == warmup)
  }

  /// A second stage or phase may increase the loss without being reported as a spike.
  @Test
  func stagesAndPhasesAreNoSpikes() {
    var stages = HealthCourse.Run()
    stages.configuration.recipe.task.scheme = .twoStage
    stages.configuration.recipe.task.sharing = .none
    stages.configuration.model.generator = stages.configuration.model.discriminator
    let staged = stages.warnings(to: 100_000) { step in
      step > 50_000 ? HealthCourse.published(step) : [.loss: 4, .generatorLoss: 4]
    }
    #expect(staged.isEmpty)
    var phases = HealthCourse.Run()
    phases.configuration.recipe.steps = 50_000
    phases.configuration.append(.init(recipe: phases.configuration.recipe, data: nil))
    let phased = phases.warnings(to: 100_000) { step in
      var line = HealthCourse.published(step)
      if (50_001..<60_000).contains(step) { line[.loss] = 25 }
      return line
    }
    #expect(phased.isEmpty)
    // The high losses of an objective before say nothing about the current one.
    phases.configuration.recipe.change(to: .mlm)
    let other = phases.warnings(to: 60_000) { step in
      step > 50_000 ? [.loss: 5, .mlmLoss: 5] : HealthCourse.published(step)
    }
    #expect(other.isEmpty, "\(other)")
  }

  private func heldOut(_ values: MetricValues) -> MetricsLine {
    var line = MetricsLine(step: 1, split: .heldOut)
    line.append(values)
    return line
  }

  @Test
  func theComparisonTakesThePublishedCurveAtTheSameTokens() {
    let small = Preset.small.configuration(vocabularySize: 30_522)
    let point = PublishedCurve.value(of: .generatorLoss, tokens: 20_000 * 16_384) ?? 0
    #expect(abs(point - 4.18) < 1e-12)
    let between = PublishedCurve.value(of: .discriminatorAUC, tokens: 70_000 * 16_384) ?? 0
    #expect(between > 0.873 && between < 0.890)
    let near = PublishedCurve.comparison(
      small, tokens: 20_000 * 16_384,
      line: heldOut([(.generatorLoss, 4.3), (.generatorReward, 1)]))
    #expect(near.count == 2 && near[0].contains("its step 20000"))
    #expect(near[0].hasSuffix("generator loss 4.3 (published 4.18)"), "\(near)")
    #expect(near[1].contains("compare the AUC"))
    let tiny = Preset.tiny.configuration(vocabularySize: 4096)
    let early = PublishedCurve.comparison(tiny, tokens: 1_000_000, line: heldOut([(.loss, 20)]))
    #expect(early.count == 1 && early[0].contains("the first is at step 4,000"))
    let late = PublishedCurve.comparison(tiny, tokens: 400_000_000, line: heldOut([(.loss, 20)]))
    #expect(late[1].contains("vocabulary (4096), size, length (64), batch (32)"))
    #expect(!near[1].contains("optimizer"))
    var muon = small
    muon.recipe.use(.muon)
    muon.recipe.discriminatorRamp = [0, 0.5]
    let differing = PublishedCurve.comparison(
      muon, tokens: 20_000 * 16_384, line: heldOut([(.generatorLoss, 4.3)]))
    #expect(differing[1].contains("in text, options of the objective, optimizer (Muon);"))
    var other = small
    other.recipe.task.objective = .mlm
    #expect(PublishedCurve.comparison(other, tokens: 1, line: nil).isEmpty)
  }
}
