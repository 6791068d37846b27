import Testing
import Training

struct TrainerSettingsTests {
  private func schedule(steps: Int, warmup: Int) -> LearningRateSchedule {
    LearningRateSchedule(learningRate: 5e-4, steps: steps, warmupSteps: warmup)
  }

  /// Warm-up and decay multiply, so the peak of a million steps with 10,000 of
  /// warm-up is 4.95e-4.
  @Test
  func theRateIsTheReferences() {
    let small = schedule(steps: 1_000_000, warmup: 10_000)
    #expect(small.learningRate(at: 0) == 0)
    #expect(abs(small.learningRate(at: 10_000) - 4.95e-4) < 1e-9)
    #expect(abs(small.learningRate(at: 5_000) - 2.5e-4 * 0.995) < 1e-9)
    #expect(abs(small.learningRate(at: 750_000) - 1.25e-4) < 1e-9)
    #expect(small.learningRate(at: 1_000_000) == 0)
  }

  @Test
  func cyclesRepeatTheSchedule() {
    var twice = schedule(steps: 200, warmup: 10)
    twice.cycles = 2
    let once = schedule(steps: 100, warmup: 10)
    for step in 0..<100 {
      #expect(twice.learningRate(at: step) == once.learningRate(at: step))
      #expect(twice.learningRate(at: 100 + step) == once.learningRate(at: step))
    }
    #expect(twice.learningRate(at: 200) == 0)
  }

  @Test
  func withoutWarmupTheFirstStepHasThePeak() {
    #expect(schedule(steps: 10, warmup: 0).learningRate(at: 0) == 5e-4)
  }
}
