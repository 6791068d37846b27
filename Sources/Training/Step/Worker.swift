import Collectives
import Layers
import Platform
import Tensors

/// Where slices come from: the batch of these sequences of this step.
package typealias BatchSource = @Sendable (_ step: Int, _ sequences: Range<Int>) throws -> Batch

/// What one worker holds: its slices of the step, its activations and its gradients.
///
/// Only the worker's own thread touches it while the team runs, and only the rank's main thread
/// between two runs; the team's lock orders the two.
final class Worker<O: Objective>: @unchecked Sendable {
  private let number: Int
  let slices: Range<Int>
  let workspace: O.Workspace
  var sums: PartialSums
  private(set) var batches: [Batch] = []
  private(set) var tallies: [Tally] = []
  private(set) var failure: (any Error)?
  /// Seconds that the worker waited for weights in the last step.
  private(set) var waitedSeconds = 0.0

  /// - Parameter sequences: of the largest slice.
  init(number: Int, slices: Range<Int>, sequences: Int, objective: O) {
    self.number = number
    self.slices = slices
    workspace = objective.makeWorkspace(sequences: sequences)
    sums = PartialSums(count: objective.layout.count)
  }

  /// Reads the slices of `step`; an error is kept for the main thread.
  func load(step: Int, settings: TrainerSettings, source: BatchSource) {
    failure = nil
    do {
      batches = try slices.map { try source(step, settings.sequences(of: $0)) }
    } catch {
      failure = error
      batches = []
    }
  }

  /// Computes the gradients of all slices. Weights are read as soon as `reducer` has them, and during
  /// the last slice it is told which ranges are final.
  func compute(_ objective: O, totals: [Int], weights: Storage, reducer: GradientReducer) {
    sums.reset()
    failure = nil
    waitedSeconds = 0
    tallies = zip(slices, batches).map { slice, batch in
      let gradient = sums.next()
      let (isFirst, isLast) = (slice == slices.lowerBound, slice == slices.upperBound - 1)
      sums.push(gradient, slice: slice)
      if isLast { reducer.register(sums.pieces) }
      let progress = VectorProgress(
        needs: { if isFirst { self.await($0, reducer) } },
        finished: { if isLast { reducer.finish($0) } })
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
  private func await(_ range: Range<Int>, _ reducer: GradientReducer) {
    let start = now()
    Timeline.record("waiting for weights", on: .lane(number), atLeast: 1e-4) {
      do { try reducer.await(range) } catch { failure = error }
    }
    waitedSeconds += now() - start
  }
}
