import Electra
import Foundation
import Layers
import Testing

/// Unhealthy runs are reported once, and not too early.
struct UnhealthyRunTests {
  @Test
  func aGeneratorThatLearnsNothingIsReportedOnceAndNotTooEarly() throws {
    let warnings = HealthCourse.Run().warnings(to: 60_000) { _ in
      HealthCourse.line(generator: 6.9, discriminator: 0.25, replaced: 0.138, area: 0.85)
    }
    #expect(warnings.map(\.issue) == [.noTakeOff])
    let warning = try #require(warnings.first)
    #expect(warning.isFatal && (20_000...21_000).contains(warning.step))
    #expect(warning.sentence.contains("loss is 6.") && warning.sentence.contains("give 7.10"))
  }

  /// The metrics of replace-mlm with a healthy generator and this encoder loss from step `start`
  /// on.
  private static func replacing(
    _ encoder: Double, from start: Int = 0
  ) -> (_ step: Int) -> [MetricName: Double] {
    { step in
      let generator = HealthCourse.published(step)[.generatorLoss] ?? 0
      guard step > start else { return [.loss: generator, .generatorLoss: generator] }
      return [.loss: generator + encoder, .generatorLoss: generator, .mlmLoss: encoder]
    }
  }

  @Test(arguments: [PretrainingTask.Objective.replaceMLM, .allTokensMLM])
  func anEncoderThatNamesTokensIsJudgedBesideItsGenerator(objective: PretrainingTask.Objective)
    throws
  {
    var run = HealthCourse.Run()
    run.configuration.recipe.task.objective = objective
    #expect(run.warnings(to: 60_000, heldOut: Self.replacing(4), Self.replacing(4)).isEmpty)
    let warnings = run.warnings(to: 60_000, Self.replacing(6.9))
    #expect(warnings.map(\.issue) == [.noTakeOff])
    #expect(warnings[0].isFatal && (20_000...21_000).contains(warnings[0].step))
    #expect(warnings[0].sentence.contains("the encoder's loss is 6."))
    // Without a generator network.
    run.configuration.recipe.task.generator = .unigram
    #expect(run.warnings(to: 60_000, Self.replacing(6.9)).map(\.issue) == [.noTakeOff])
  }

  /// In two stages the encoder starts halfway, and its steps count from there.
  @Test
  func anEncoderOfTheSecondStageHasItsOwnTime() {
    var run = HealthCourse.Run()
    run.configuration.recipe.task.objective = .replaceMLM
    run.configuration.recipe.task.scheme = .twoStageFresh
    run.configuration.recipe.task.sharing = .none
    let early = run.warnings(to: 69_000, Self.replacing(6.9, from: 50_000))
    #expect(!early.contains { $0.issue == .noTakeOff })
    let late = run.warnings(to: 90_000, Self.replacing(6.9, from: 50_000))
    #expect(late.contains { $0.issue == .noTakeOff && $0.step >= 70_000 })
  }

  @Test
  func anEncoderThatOverfitsIsReported() {
    var run = HealthCourse.Run()
    (run.examples, run.configuration.recipe.steps) = (100_000, 30_000)
    run.configuration.recipe.task.objective = .replaceMLM
    let warnings = run.warnings(
      to: 30_000, heldOut: { Self.replacing(2 + Double($0) / 10_000)($0) }, Self.replacing(2))
    #expect(warnings.map(\.issue) == [.overfitting])
  }

  @Test
  func aDiscriminatorAtTheMajorityIsReportedWithItsCause() {
    func warnings(_ change: (inout PretrainingConfiguration) -> Void) -> [HealthWarning] {
      var run = HealthCourse.Run()
      change(&run.configuration)
      return run.warnings(to: 60_000) { _ in
        HealthCourse.line(generator: 3.9, discriminator: 0.3509, replaced: 0.113, area: 0.5)
      }
    }
    let plain = warnings { _ in }
    #expect(plain.map(\.issue) == [.majorityClass])
    #expect(plain[0].isFatal && plain[0].step >= 20_000 && plain[0].step < 31_000)
    #expect(plain[0].sentence.contains("start a new run with half the --learning-rate"))
    let large = warnings { $0.model.generator = $0.model.discriminator }
    #expect(large.map(\.issue) == [.largeGenerator, .majorityClass])
    #expect(!large[0].isFatal && large[0].step == 0)
    #expect(large[1].sentence.contains("the generator is too large in comparison"))
    let fresh = warnings {
      $0.recipe.task.scheme = .twoStageFresh
      $0.recipe.task.sharing = .none
    }
    #expect(fresh.map(\.issue) == [.majorityClass])
    #expect(fresh[0].sentence.contains("--training two-stage or joint"))
  }

  /// The discriminator of mlm-rtd is judged too, after the ramp of its weight.
  @Test
  func aDiscriminatorBesidePredictionsIsJudgedAfterItsRamp() {
    var run = HealthCourse.Run()
    run.configuration.recipe.change(to: .mlmRTD)
    var line = HealthCourse.line(generator: 0, discriminator: 0.3509, replaced: 0.113, area: 0.5)
    (line[.generatorLoss], line[.mlmLoss], line[.loss]) = (nil, 3.9, 7.4)
    let constant = run.warnings(to: 60_000) { _ in line }
    #expect(constant.map(\.issue) == [.majorityClass])
    #expect(constant[0].isFatal && (20_000..<31_000).contains(constant[0].step))
    #expect(constant[0].sentence.contains("twice the --discriminator-weight"))
    // The ramp ends after step 50,000 of a million.
    run.configuration.recipe.discriminatorRamp = [0.04, 0.05]
    let late = run.warnings(to: 90_000) { _ in line }
    #expect(late.map(\.issue) == [.majorityClass] && late[0].step >= 70_000, "\(late)")
  }

  @Test
  func samplesThatAreRandomTokensAreReported() {
    let warnings = HealthCourse.Run().warnings(to: 15_000) { step in
      HealthCourse.line(
        generator: 10.3, discriminator: HealthCourse.value([(1, 0.693), (5000, 0.05)], at: step),
        replaced: 0.148, area: 0.97)
    }
    #expect(warnings.map(\.issue) == [.uniformSamples] && warnings[0].isFatal)
    #expect(warnings[0].sentence.contains("loss 10."))
    // As a choice of the user it is only a note.
    var run = HealthCourse.Run()
    run.configuration.recipe.task.generator = .uniform
    let chosen = run.warnings(to: 15_000) { _ in
      var line = HealthCourse.line(generator: 0, discriminator: 0.1, replaced: 0.148, area: 0.97)
      line[.generatorLoss] = nil
      return line
    }
    #expect(chosen.map(\.issue) == [.uniformSamples] && !chosen[0].isFatal)
  }

  @Test
  func aSpikeThatGoesIsANoteAndALossThatStaysUpIsFatal() {
    func course(_ up: Range<Int>) -> [HealthWarning] {
      HealthCourse.Run().warnings(to: 200_000) { step in
        var line = HealthCourse.published(step)
        if up.contains(step) { line[.loss] = 22 }
        return line
      }
    }
    let spike = course(100_000..<100_500)
    #expect(spike.map(\.issue) == [.lossSpike] && !spike[0].isFatal && spike[0].step == 100_000)
    #expect(spike[0].sentence.contains("from 13.9") || spike[0].sentence.contains("from 14.0"))
    let lost = course(100_000..<200_000)
    #expect(lost.map(\.issue) == [.lossSpike, .divergence] && lost[1].isFatal)
    #expect(lost[1].step < 120_000)
    let worse = HealthCourse.Run().warnings(to: 10_000) { _ in
      HealthCourse.line(generator: 12, discriminator: 0.9, replaced: 0.14, area: 0.5)
    }
    #expect(worse.map(\.issue) == [.divergence] && worse[0].step == 2500)
    #expect(worse[0].sentence.contains("an untrained model's is 44.98"))
  }

  @Test
  func overfittingIsReported() {
    var run = HealthCourse.Run()
    (run.examples, run.configuration.recipe.steps) = (100_000, 100_000)
    func training(_ step: Int) -> [MetricName: Double] {
      HealthCourse.line(
        generator: HealthCourse.value([(1000, 6), (20_000, 3), (100_000, 1)], at: step),
        discriminator: 0.2, replaced: 0.1, area: 0.9)
    }
    let warnings = run.warnings(
      to: 100_000,
      heldOut: { step in
        var line = training(step)
        line[.generatorLoss] = max(4, Double(step) / 10_000)
        return line
      }, training)
    #expect(warnings.map(\.issue) == [.manyEpochs, .overfitting])
    #expect(!warnings[0].isFatal && warnings[0].sentence.contains("128 epochs over 100000"))
    #expect(warnings[1].isFatal && warnings[1].step <= 60_000)
    #expect(warnings[1].sentence.contains("from 4.00 at step"))
    // In the first epoch held-out text can be harder than training text, which is not overfitting.
    var fresh = HealthCourse.Run()
    fresh.examples = 100_000_000
    let other = fresh.warnings(
      to: 100_000,
      heldOut: { step in
        var line = training(step)
        line[.generatorLoss] = max(4, Double(step) / 10_000)
        return line
      }, training)
    #expect(other.isEmpty)
  }
}
