import Tensors
import Testing
import Training

struct TrainerSettingsTests {
  private func settings(steps: Int, warmup: Int) -> TrainerSettings {
    TrainerSettings(
      batchSize: 8, sliceCount: 2, steps: steps, warmupSteps: warmup, learningRate: 5e-4,
      weightDecay: 0.01, adam: AdamConstants(), clipNorm: 1)
  }

  /// Warm-up and decay multiply, so the peak of a million steps with 10,000 of
  /// warm-up is 4.95e-4.
  @Test
  func theRateIsTheReferences() {
    let small = settings(steps: 1_000_000, warmup: 10_000)
    #expect(small.rate(at: 0) == 0)
    #expect(abs(small.rate(at: 10_000) - 4.95e-4) < 1e-9)
    #expect(abs(small.rate(at: 5_000) - 2.5e-4 * 0.995) < 1e-9)
    #expect(abs(small.rate(at: 750_000) - 1.25e-4) < 1e-9)
    #expect(small.rate(at: 1_000_000) == 0)
  }

  @Test
  func cyclesRepeatTheSchedule() {
    var twice = settings(steps: 200, warmup: 10)
    twice.cycles = 2
    let once = settings(steps: 100, warmup: 10)
    for step in 0..<100 {
      #expect(twice.rate(at: step) == once.rate(at: step))
      #expect(twice.rate(at: 100 + step) == once.rate(at: step))
    }
    #expect(twice.rate(at: 200) == 0)
  }

  @Test
  func withoutWarmupTheFirstStepHasThePeak() {
    #expect(settings(steps: 10, warmup: 0).rate(at: 0) == 5e-4)
  }
}
