import Collectives
import Foundation
import Layers
import Platform
import Runs
import Tensors
import TestSupport
import Training

/// A minimal objective: the squared distance of every weight from the tokens of a batch.
struct LineFit: TrainingObjective {
  let layout: ParameterLayout
  let arithmetic = Arithmetic.float32
  /// The step whose gradient is NaN; nil for none.
  var poisonedStep: Int?

  init(poisonedStep: Int? = nil) {
    var layout = ParameterLayout()
    _ = layout.declare("weight", [40], .truncatedNormal(standardDeviation: 1))
    (self.layout, self.poisonedStep) = (layout, poisonedStep)
  }

  var gradientOrder: [Range<Int>] { [0..<layout.count] }
  var weightOrder: [Range<Int>] { [0..<layout.count] }
  func counts(of slice: Batch) -> [Int] { [slice.tokenCount] }
  func makeWorkspace(sequences: Int) {}

  func accumulate(
    _ slice: Batch, totals: [Int], weights: Weights, gradient: Storage, workspace: Void,
    progress: ParameterProgress
  ) -> Tally {
    progress.willRead(0..<layout.count)
    let range = layout.parameters[0].range
    for token in slice.tokens {
      for i in range {
        gradient.base[i] += 2 * (weights.vector.base[i] - Float(token)) / Float(totals[0])
      }
    }
    if slice.step == poisonedStep { gradient.base[0] = .nan }
    progress.didFinish(0..<layout.count)
    return evaluate(slice, weights: weights, workspace: workspace)
  }

  func evaluate(_ slice: Batch, weights: Weights, workspace: Void) -> Tally {
    let errors = slice.tokens.map { Double(weights.vector.base[0] - Float($0)) }
    return Tally(sums: [errors.reduce(0) { $0 + $1 * $1 }, Double(errors.count)])
  }

  func metrics(of tally: Tally) -> MetricValues {
    [(.loss, tally.sums[0] / tally.sums[1])]
  }

  /// The token of a sequence is a function of its step and number.
  static let source: BatchSource = { step, sequences in
    var batch = Batch(step: step, firstSequence: sequences.lowerBound)
    for sequence in sequences {
      batch.append(tokens: [Int32((7 * step + 3 * sequence) % 11)], segmentIDs: [0])
    }
    return batch
  }
}

/// A job that records the calls of the loop.
final class RecordingJob: TrainingJob {
  let run: ResumableRun<LineFit>
  /// Steps between evaluations.
  let evaluateEvery: Int
  /// The step after which an evaluation is interrupted; nil for none.
  var interruptedEvaluation: Int?
  /// The step after which the run is unhealthy; nil for none.
  var unhealthyStep: Int?
  var savesFirstWeights = false
  private(set) var firstState: CheckpointState?
  private(set) var evaluated: [Int] = []
  private(set) var divergence: Divergence?
  private(set) var loggedSteps: [Int] = []

  init(_ run: ResumableRun<LineFit>, evaluateEvery: Int = 100) {
    (self.run, self.evaluateEvery) = (run, evaluateEvery)
  }

  func makeFirstWeights() -> Bool {
    run.trainer.objective.layout.initialize(run.trainer.weights, seed: 1)
    return savesFirstWeights
  }

  func restore(from checkpoint: String?) throws {
    let file = try Data(contentsOf: URL(fileURLWithPath: (checkpoint ?? "") + "/evaluated.json"))
    evaluated = try JSONDecoder().decode([Int].self, from: file)
  }

  func willTrain(from state: CheckpointState) { firstState = state }

  func isEvaluationDue(after step: Int) -> Bool { step > 0 && step % evaluateEvery == 0 }

  func isEvaluationMissing(at state: CheckpointState) -> Bool {
    isEvaluationDue(after: state.step) && evaluated.last != state.step
  }

  func evaluate(_ state: CheckpointState) throws {
    if state.step == interruptedEvaluation { throw TrainerError.stopped }
    evaluated.append(state.step)
  }

  func checkpointFiles() throws -> [String: Data] {
    ["evaluated.json": try JSONEncoder().encode(evaluated)]
  }

  func didLog(_ line: MetricsLine) { loggedSteps.append(line.step) }

  func didDiverge(_ divergence: Divergence) { self.divergence = divergence }

  var stopsForHealth: Bool { unhealthyStep.map { run.state.step >= $0 - 1 } ?? false }
}

/// A context for a run of one thread in `folder`.
func testContext(_ folder: TemporaryFolder) throws -> RunContext {
  let world = try Communicator.start()
  return RunContext(
    folder: folder.path, world: world,
    layout: try RankLayout(world: world, threads: 1, slices: 1),
    watchdog: Watchdog(deadlines: [:]) { _ in }, start: now())
}
