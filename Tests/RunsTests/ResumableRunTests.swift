import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import TestSupport
import Testing
import Training

/// The training loop, with an objective of forty weights.
struct ResumableRunTests {
  private static let steps = 7

  private static var settings: RunSettings {
    var settings = RunSettings()
    (settings.logEvery, settings.saveEvery, settings.milestones) = (3, 2, [steps])
    return settings
  }

  /// How a start ended, with what it recorded.
  private struct Outcome {
    let ending: RunEnding?
    let error: (any Error)?
    let job: RecordingJob
    let weights: [UInt32]
    let state: CheckpointState
  }

  /// A start of the run in `folder`.
  private func start(
    _ folder: TemporaryFolder, _ settings: RunSettings = settings, firstStep: Int = 0,
    poisonedStep: Int? = nil, prepare: (RecordingJob) -> Void = { _ in }
  ) throws -> Outcome {
    let context = try testContext(folder)
    let trainer = try Trainer(
      objective: LineFit(poisonedStep: poisonedStep),
      settings: TrainerSettings(
        batchSize: 4, sliceCount: 2,
        schedule: LearningRateSchedule(
          learningRate: 0.1, firstStep: firstStep, steps: Self.steps, warmupSteps: 0),
        adam: AdamHyperparameters(weightDecay: 0), clipNorm: 1),
      world: context.world, processors: [-1], source: LineFit.source)
    let run = try ResumableRun(trainer, context, settings)
    defer { run.end() }
    let job = RecordingJob(run, evaluateEvery: 2)
    prepare(job)
    var (ending, failure): (RunEnding?, (any Error)?) = (nil, nil)
    do { ending = try run.train(job) } catch { failure = error }
    try trainer.waitForWeights()
    return Outcome(
      ending: ending, error: failure, job: job,
      weights: (0..<trainer.weights.count).map { trainer.weights.base[$0].bitPattern },
      state: run.state)
  }

  private func checkpoints(_ folder: TemporaryFolder) -> [Int] {
    CheckpointStore(runFolder: folder.path).steps()
  }

  @Test
  func aRunTrainsEvaluatesLogsAndSavesOnSchedule() throws {
    let folder = try TemporaryFolder()
    let outcome = try start(folder)
    #expect(outcome.ending == .finished)
    #expect(outcome.state.step == 7 && outcome.state.tokens == 7 * 4)
    #expect(outcome.job.evaluated == [2, 4, 6])
    #expect(outcome.job.loggedSteps == [3, 6, 7])
    // The newest three are kept.
    #expect(checkpoints(folder) == [4, 6, 7])
  }

  @Test
  func aRunResumesAtTheNewestSoundCheckpointWithTheSameResult() throws {
    let (whole, parts) = (try TemporaryFolder(), try TemporaryFolder())
    var settings = Self.settings
    settings.logEvery = 1
    let reference = try start(whole, settings)
    let first = try start(parts, settings) { $0.unhealthyStep = 5 }
    #expect(first.ending == .unhealthy && first.state.step == 5)
    #expect(checkpoints(parts) == [2, 4, 5])
    try parts.write("damaged", "checkpoints/step-00000005/model.safetensors")
    let second = try start(parts, settings)
    #expect(second.job.firstState?.step == 4)
    #expect(second.ending == .finished && second.job.evaluated == [2, 4, 6])
    #expect(second.weights == reference.weights)
    #expect(try parts.names("checkpoints").contains("step-00000005-damaged"))
    let metrics = try parts.text("metrics.jsonl").split(separator: "\n")
    #expect(metrics.count == 7, "lines after the checkpoint are replaced: \(metrics)")
  }

  @Test
  func aRequestToStopEndsWithACheckpoint() throws {
    let folder = try TemporaryFolder()
    var settings = Self.settings
    settings.hours = 0
    let first = try start(folder, settings)
    #expect(first.ending == .stopped && checkpoints(folder) == [1])
    // The time limit leaves no time for the evaluation that is due after step 2.
    let second = try start(folder, settings)
    #expect(second.ending == .stopped && second.job.evaluated == [])
    let third = try start(folder, settings)
    #expect(third.job.evaluated == [2] && third.state.step == 3)
  }

  @Test
  func anInterruptedEvaluationIsMadeUpFor() throws {
    let folder = try TemporaryFolder()
    let first = try start(folder) { $0.interruptedEvaluation = 4 }
    #expect(first.ending == .stopped && first.state.step == 4)
    #expect(first.job.evaluated == [2] && checkpoints(folder).last == 4)
    // Stopped again before that evaluation: the checkpoint is unchanged.
    let second = try start(folder) { $0.interruptedEvaluation = 4 }
    #expect(second.ending == .stopped && second.state.step == 4 && second.job.evaluated == [2])
    let third = try start(folder)
    #expect(third.ending == .finished && third.job.evaluated == [2, 4, 6])
  }

  @Test
  func aFailedSaveIsLoggedAndTrainingContinues() throws {
    let folder = try TemporaryFolder()
    // A file in place of the folder prevents all checkpoints.
    try folder.write("", "checkpoints")
    var settings = Self.settings
    settings.milestones = []
    let optional = try start(folder, settings)
    #expect(optional.ending == .finished && optional.state.step == 7)
    let log = try folder.text("log.txt")
    for step in [2, 4, 6] { #expect(log.contains("no checkpoint at step \(step):"), "\(log)") }
    // Without a checkpoint of the last step the run fails.
    let required = try start(folder)
    guard case CheckpointError.unsaved(let step, _)? = required.error else {
      Issue.record("\(String(describing: required.error))")
      return
    }
    #expect(step == 7 && required.state.step == 7)
  }

  @Test
  func firstWeightsAreSavedWhereTheJobNeedsThem() throws {
    let folder = try TemporaryFolder()
    var settings = Self.settings
    (settings.saveEvery, settings.keep, settings.hours) = (nil, 10, 0)
    let outcome = try start(folder, settings) { $0.savesFirstWeights = true }
    #expect(outcome.ending == .stopped && checkpoints(folder) == [0, 1])
  }

  @Test
  func aPhaseBeginsAtTheEndOfTheOneBefore() throws {
    let folder = try TemporaryFolder()
    let none = try start(folder, firstStep: 7)
    #expect(none.error is CheckpointError)
    #expect(try start(folder).ending == .finished)
    let next = try start(folder, firstStep: 7)
    #expect(next.ending == .finished && next.state.step == 14)
    let late = try start(folder, firstStep: 20)
    #expect((late.error as? UsageError)?.description.contains("of step 14") == true)
  }

  @Test
  func aStepThatDivergesIsReportedToTheJob() throws {
    let folder = try TemporaryFolder()
    let outcome = try start(folder, poisonedStep: 3)
    #expect(outcome.job.divergence?.step == 3)
    guard case TrainerError.diverged? = outcome.error else {
      Issue.record("\(String(describing: outcome.error))")
      return
    }
    #expect(checkpoints(folder) == [2])
  }

  @Test
  func aPartOfARunLogsUnderItsName() throws {
    let folder = try TemporaryFolder()
    let context = try testContext(folder)
    try folder.write("", "seed-3/.keep")
    let part = context.part(folder: folder.file("seed-3"), prefix: "seed 3: ")
    part.log.write("done")
    context.log.write("all done")
    part.metrics.append(MetricsLine(step: 1, split: .training))
    let lines = try folder.text("log.txt").split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasSuffix(" seed 3: done") && lines[1].hasSuffix("Z all done"))
    #expect(try folder.text("seed-3/metrics.jsonl").hasPrefix("{\"step\": 1"))
    #expect(try !folder.names().contains("metrics.jsonl"))
  }
}
