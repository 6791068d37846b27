import Collectives
import Layers
import Platform
import Tensors

/// Where slices come from: the batch of these sequences of this step.
package typealias BatchSource = @Sendable (_ step: Int, _ sequences: Range<Int>) throws -> Batch

/// What one worker holds: its slices of the step, its activations and its gradients.
///
/// Unchecked: only the worker's own thread touches it while the team runs, and only the rank's main
/// thread between two runs; the team's lock orders the two.
final class Worker<O: TrainingObjective>: @unchecked Sendable {
  private let number: Int
  let slices: Range<Int>
  let workspace: O.Workspace
  var sums: PartialSums
  private(set) var batches: [Batch] = []
  /// The counts of the losses of all its slices.
  private(set) var counts: [Int]
  private(set) var tallies: [Tally] = []
  private(set) var failure: (any Error)?
  /// Seconds that the worker waited for weights in the last step.
  private(set) var waitedSeconds = 0.0

  /// - Parameters:
  ///   - number: its number among the workers of the rank.
  ///   - slices: its slices of every step.
  ///   - sequences: those of the largest slice.
  ///   - objective: what is trained.
  init(number: Int, slices: Range<Int>, sequences: Int, objective: O) {
    self.number = number
    self.slices = slices
    workspace = objective.makeWorkspace(sequences: sequences)
    sums = PartialSums(count: objective.layout.count)
    counts = objective.counts(of: Batch())
  }

  /// Reads the slices of `step` and counts their losses; an error is kept for the main thread.
  ///
  /// Counting draws the masks, and `compute` draws them again: to keep them, every objective would need
  /// a type for its prepared slices, and masks are cheap beside a forward pass.
  func load(_ objective: O, step: Int, settings: TrainerSettings, source: BatchSource) {
    failure = nil
    counts = objective.counts(of: Batch())
    do {
      batches = try slices.map { try source(step, settings.sequences(of: $0)) }
      for batch in batches {
        for (i, count) in objective.counts(of: batch).enumerated() { counts[i] += count }
      }
    } catch {
      failure = error
      batches = []
    }
  }

  /// Computes the gradients of all slices.
  ///
  /// Weights are read as soon as they have arrived, and during
  /// the last slice `reducer` learns which ranges are final.
  func compute(
    _ objective: O, totals: [Int], weights: Storage, reducer: GradientReducer,
    update: ShardedUpdate
  ) {
    sums.reset()
    failure = nil
    waitedSeconds = 0
    tallies = zip(slices, batches).map { slice, batch in
      let gradient = sums.next()
      let (isFirst, isLast) = (slice == slices.lowerBound, slice == slices.upperBound - 1)
      sums.push(gradient, slice: slice)
      if isLast { reducer.register(sums.pieces) }
      let progress = ParameterProgress(
        willRead: { if isFirst { self.await($0, update) } },
        didFinish: { if isLast { reducer.finish($0) } })
      let tally = Timeline.record("slice \(slice)", on: .lane(number)) {
        objective.accumulate(
          batch, totals: totals, weights: weights, gradient: gradient, workspace: workspace,
          progress: progress)
      }
      if !isLast { sums.carry() }
      return tally
    }
  }

  /// Waits until the weights of `range` are there; an error is kept for the main thread.
  private func await(_ range: Range<Int>, _ update: ShardedUpdate) {
    let start = now()
    Timeline.record("waiting for weights", on: .lane(number), atLeast: 1e-4) {
      do { try update.await(range) } catch { failure = error }
    }
    waitedSeconds += now() - start
  }
}
