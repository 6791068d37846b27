import Electra
import Foundation
import Layers
import Testing

/// Unhealthy runs, which must be reported once and not too early.
struct UnhealthyRunTests {
  @Test
  func aGeneratorThatLearnsNothingIsToldOnceAndNotTooEarly() throws {
    let verdicts = HealthCourse.Run().verdicts(to: 60_000) { _ in
      HealthCourse.line(generator: 6.9, discriminator: 0.25, replaced: 0.138, area: 0.85)
    }
    #expect(verdicts.map(\.issue) == [.noTakeOff])
    let verdict = try #require(verdicts.first)
    #expect(verdict.isFatal && (20_000...21_000).contains(verdict.step))
    #expect(verdict.sentence.contains("loss is 6.") && verdict.sentence.contains("gives 7.10"))
  }

  /// The encoder of replace-mlm, beside a generator that learns: `start` is the step at which it begins.
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
    #expect(run.verdicts(to: 60_000, heldOut: Self.replacing(4), Self.replacing(4)).isEmpty)
    let verdicts = run.verdicts(to: 60_000, Self.replacing(6.9))
    #expect(verdicts.map(\.issue) == [.noTakeOff])
    #expect(verdicts[0].isFatal && (20_000...21_000).contains(verdicts[0].step))
    #expect(verdicts[0].sentence.contains("the encoder's loss is 6."))
    // The same without a network that samples.
    run.configuration.recipe.task.generator = .unigram
    #expect(run.verdicts(to: 60_000, Self.replacing(6.9)).map(\.issue) == [.noTakeOff])
  }

  /// In two stages the encoder begins in the middle, and is not judged before its time.
  @Test
  func anEncoderOfTheSecondStageHasItsOwnTime() {
    var run = HealthCourse.Run()
    run.configuration.recipe.task.objective = .replaceMLM
    run.configuration.recipe.task.scheme = .twoStageFresh
    run.configuration.recipe.task.sharing = .none
    let early = run.verdicts(to: 69_000, Self.replacing(6.9, from: 50_000))
    #expect(!early.contains { $0.issue == .noTakeOff })
    let late = run.verdicts(to: 90_000, Self.replacing(6.9, from: 50_000))
    #expect(late.contains { $0.issue == .noTakeOff && $0.step >= 70_000 })
  }

  @Test
  func anEncoderThatLearnsItsTextByHeartIsTold() {
    var run = HealthCourse.Run()
    (run.examples, run.configuration.recipe.steps) = (100_000, 30_000)
    run.configuration.recipe.task.objective = .replaceMLM
    let verdicts = run.verdicts(
      to: 30_000, heldOut: { Self.replacing(2 + Double($0) / 10_000)($0) }, Self.replacing(2))
    #expect(verdicts.map(\.issue) == [.overfitting])
  }

  @Test
  func aDiscriminatorAtTheMajorityIsToldWithItsCause() {
    func verdicts(_ change: (inout PretrainingConfiguration) -> Void) -> [HealthWarning] {
      var run = HealthCourse.Run()
      change(&run.configuration)
      return run.verdicts(to: 60_000) { _ in
        HealthCourse.line(generator: 3.9, discriminator: 0.3509, replaced: 0.113, area: 0.5)
      }
    }
    let plain = verdicts { _ in }
    #expect(plain.map(\.issue) == [.majorityClass])
    #expect(plain[0].isFatal && plain[0].step >= 20_000 && plain[0].step < 31_000)
    #expect(plain[0].sentence.contains("begin anew with half the --learning-rate"))
    let large = verdicts { $0.model.generator = $0.model.discriminator }
    #expect(large.map(\.issue) == [.largeGenerator, .majorityClass])
    #expect(!large[0].isFatal && large[0].step == 0)
    #expect(large[1].sentence.contains("the generator is too large beside it"))
    let fresh = verdicts {
      $0.recipe.task.scheme = .twoStageFresh
      $0.recipe.task.sharing = .none
    }
    #expect(fresh.map(\.issue) == [.majorityClass])
    #expect(fresh[0].sentence.contains("--training two-stage or joint"))
  }

  @Test
  func samplesThatAreRandomTokensAreTold() {
    let verdicts = HealthCourse.Run().verdicts(to: 15_000) { step in
      HealthCourse.line(
        generator: 10.3, discriminator: HealthCourse.value([(1, 0.693), (5000, 0.05)], at: step),
        replaced: 0.148, area: 0.97)
    }
    #expect(verdicts.map(\.issue) == [.uniformSamples] && verdicts[0].isFatal)
    #expect(verdicts[0].sentence.contains("loss 10."))
    // Chosen so, it is an experiment.
    var run = HealthCourse.Run()
    run.configuration.recipe.task.generator = .uniform
    let chosen = run.verdicts(to: 15_000) { _ in
      var line = HealthCourse.line(generator: 0, discriminator: 0.1, replaced: 0.148, area: 0.97)
      line[.generatorLoss] = nil
      return line
    }
    #expect(chosen.map(\.issue) == [.uniformSamples] && !chosen[0].isFatal)
  }

  @Test
  func aSpikeThatGoesIsANoteAndALossThatStaysUpIsGrave() {
    func course(_ up: Range<Int>) -> [HealthWarning] {
      HealthCourse.Run().verdicts(to: 200_000) { step in
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
    let worse = HealthCourse.Run().verdicts(to: 10_000) { _ in
      HealthCourse.line(generator: 12, discriminator: 0.9, replaced: 0.14, area: 0.5)
    }
    #expect(worse.map(\.issue) == [.divergence] && worse[0].step == 2500)
    #expect(worse[0].sentence.contains("a new model is 44.98"))
  }

  @Test
  func textThatIsLearntByHeartIsTold() {
    var run = HealthCourse.Run()
    (run.examples, run.configuration.recipe.steps) = (100_000, 100_000)
    func training(_ step: Int) -> [MetricName: Double] {
      HealthCourse.line(
        generator: HealthCourse.value([(1000, 6), (20_000, 3), (100_000, 1)], at: step),
        discriminator: 0.2, replaced: 0.1, area: 0.9)
    }
    let verdicts = run.verdicts(
      to: 100_000,
      heldOut: { step in
        var line = training(step)
        line[.generatorLoss] = max(4, Double(step) / 10_000)
        return line
      }, training)
    #expect(verdicts.map(\.issue) == [.manyEpochs, .overfitting])
    #expect(!verdicts[0].isFatal && verdicts[0].sentence.contains("passes 128 times over 100000"))
    #expect(verdicts[1].isFatal && verdicts[1].step <= 60_000)
    #expect(verdicts[1].sentence.contains("from 4.00 at step"))
    // Fresh text can be harder than what was read, and is not learnt by heart.
    var fresh = HealthCourse.Run()
    fresh.examples = 100_000_000
    let other = fresh.verdicts(
      to: 100_000,
      heldOut: { step in
        var line = training(step)
        line[.generatorLoss] = max(4, Double(step) / 10_000)
        return line
      }, training)
    #expect(other.isEmpty)
  }
}
