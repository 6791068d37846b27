import Collectives
import Layers
import Platform
import Tensors

/// A function that reads the given sequences of a step as one batch.
///
/// Workers call it at the same time. The same arguments must give the same batch.
package typealias BatchSource = @Sendable (_ step: Int, _ sequences: Range<Int>) throws -> Batch

/// The state of one worker: its slices of the step, its activations and its gradients.
///
/// Unchecked sendability is safe: while the team runs, only the worker's thread uses it, and
/// between two runs only the rank's main thread. The team's lock orders the two.
final class Worker<O: TrainingObjective>: @unchecked Sendable {  // the team's lock orders its users
  private let number: Int
  let slices: Range<Int>
  let workspace: O.Workspace
  var sums: PartialSums
  private(set) var batches: [Batch] = []
  /// The objective's counts, summed over the worker's slices.
  private(set) var counts: [Int]
  private(set) var tallies: [Tally] = []
  private(set) var failure: (any Error)?
  /// The seconds that the worker waited for weights in the last step.
  private(set) var waitedSeconds = 0.0

  /// - Parameters:
  ///   - number: the worker's number on its rank, from 0.
  ///   - tree: the slices of a step.
  ///   - slices: the worker's slices of every step; may be empty.
  ///   - sequences: the most sequences of a slice.
  ///   - objective: the training objective.
  init(number: Int, tree: ReductionTree, slices: Range<Int>, sequences: Int, objective: O) {
    self.number = number
    self.slices = slices
    workspace = objective.makeWorkspace(sequences: sequences)
    sums = PartialSums(tree, count: objective.layout.count)
    counts = objective.counts(of: Batch())
  }

  /// Reads the slices of `step` and sums the objective's counts; an error is stored in `failure`.
  ///
  /// Counting draws the masks, and `compute` draws them again. Storing them would require a type
  /// for prepared slices in every objective, and drawing is cheap compared with a forward pass.
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
  /// During the first slice it waits for each range of weights before reading it: later slices read
  /// the same weights. During the last slice it reports each range of the gradient that becomes
  /// final. `onSlice` is called after each slice.
  func compute(
    _ objective: O, totals: [Int], weights: Weights, reducer: GradientReducer,
    update: ShardedUpdate, onSlice: () -> Void
  ) {
    sums.reset()
    failure = nil
    waitedSeconds = 0
    tallies = zip(slices, batches).map { slice, batch in
      let gradient = sums.next()
      let (isFirst, isLast) = (slice == slices.lowerBound, slice == slices.upperBound - 1)
      sums.push(gradient, slice: slice)
      // Before the slice is computed: the first bucket becomes final in the middle of it.
      if isLast { reducer.register(sums.pieces) }
      let progress = ParameterProgress(
        willRead: { if isFirst { self.waitForWeights(in: $0, update) } },
        didFinish: { if isLast { reducer.finish($0) } })
      let tally = Timeline.record("slice \(slice)", on: .worker(number)) {
        objective.accumulate(
          batch, totals: totals, weights: weights, gradient: gradient, workspace: workspace,
          progress: progress)
      }
      if !isLast { sums.carry() }
      onSlice()
      return tally
    }
  }

  /// Waits until the weights of `range` have arrived; an error is stored in `failure`.
  ///
  /// After an error the worker continues with old weights. The queue keeps its first error, so
  /// `GradientReducer.finishSum` throws it on the main thread before any update.
  private func waitForWeights(in range: Range<Int>, _ update: ShardedUpdate) {
    let start = now()
    Timeline.record("waiting for weights", on: .worker(number), atLeast: 1e-4) {
      do { try update.waitForWeights(in: range) } catch { failure = error }
    }
    waitedSeconds += now() - start
  }
}
