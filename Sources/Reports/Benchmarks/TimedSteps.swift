import Layers
import Tensors
import Training

/// The steps of a benchmark: untimed ones, timed ones, and one that times activities.
struct TimedSteps<O: TrainingObjective> {
  /// The numbers of the timed steps.
  let numbers: Range<Int>
  /// The measurements of the timed steps.
  let reports: [Trainer<O>.StepReport]
  /// The activities of the last step on all workers, and the measurements of that step.
  let activities: [Activity: Profile.Entry]
  let profiled: Trainer<O>.StepReport

  /// Untimed steps before the timed ones: they fill caches and allocate memory.
  private static var warmup: Int { 2 }

  /// Runs the steps, `rounds` of them timed; every rank must call it.
  ///
  /// Throws the errors of `Trainer.step`.
  init(_ trainer: Trainer<O>, rounds: Int) throws {
    for step in 0..<Self.warmup { _ = try trainer.step(step) }
    numbers = Self.warmup..<Self.warmup + rounds
    reports = try numbers.map { try trainer.step($0) }
    // Timing the activities costs time, so it has a separate step.
    Profile.turnOn()
    profiled = try trainer.step(numbers.upperBound)
    activities = Profile.turnOff()
  }
}
