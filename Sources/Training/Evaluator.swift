import Collectives
import Layers
import Platform
import Tensors

/// Runs a model on sequences without training it, for held-out metrics or for the model's outputs.
///
///     let evaluator = try Evaluator(objective, weights: weights, world: world, processors: [0, 1])
///     defer { evaluator.end() }
///     let metrics = try evaluator.metrics(sequences: 2048) { _, sequences in heldOut(sequences) }
///
/// The result has the same bits on any number of ranks and workers: sequences are cut into slices
/// of a fixed size, and slices are added in their order.
///
/// A trainer has an evaluator that shares its weights, threads and activations. An evaluator by
/// itself allocates neither gradients nor moments.
package final class Evaluator<O: Evaluable> {
  package let objective: O
  /// The flat vector of weights, the same on every rank.
  package var weights: Storage { modelWeights.vector }
  private let modelWeights: Weights
  /// Called at the start of each part of an evaluation.
  package var watch: (_ section: Watchdog.Section, _ part: String) -> Void = { _, _ in }
  /// Called on a worker's thread after each slice.
  package var onSlice: @Sendable () -> Void = {}
  private let world: Communicator
  private let team: WorkerTeam
  private let workers: [EvaluationWorker<O>]
  private let sliceSequences: Int

  /// The default number of sequences of a slice.
  package static var sliceSequences: Int { 16 }

  /// The slices of each worker between two synchronizations of the ranks.
  ///
  /// Four take minutes with the largest models. A stop is noticed after a round. Fewer slices would
  /// make workers wait more: slices have different numbers of tokens.
  private static var roundSlices: Int { 4 }

  /// Makes an evaluator with its own threads and activations.
  ///
  /// Every rank must call it: it copies the weights of rank zero into `weights` on all ranks.
  ///
  /// - Parameters:
  ///   - objective: the model.
  ///   - weights: the flat vector of weights.
  ///   - world: all ranks.
  ///   - processors: one worker for each; a negative number leaves a worker unpinned.
  ///   - sliceSequences: the sequences of a slice, which one worker evaluates at a time.
  /// - Throws: an error of the communication.
  package convenience init(
    _ objective: O, weights: Storage, world: Communicator, processors: [Int],
    sliceSequences: Int = sliceSequences
  ) throws {
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: processors.count)
    try world.broadcast(weights.base, count: weights.count)
    let weights = Weights(weights, arithmetic: objective.arithmetic)
    self.init(
      objective, weights: weights, world: world, team: WorkerTeam(processors: processors),
      workspaces: processors.map { _ in objective.makeWorkspace(sequences: sliceSequences) },
      sliceSequences: sliceSequences)
  }

  /// Makes an evaluator that shares a trainer's threads and activations.
  ///
  /// There is one workspace per worker of the team, for at least `sliceSequences` sequences.
  init(
    _ objective: O, weights: Weights, world: Communicator, team: WorkerTeam,
    workspaces: [O.Workspace], sliceSequences: Int = sliceSequences
  ) {
    precondition(workspaces.count == team.count, "a workspace for each thread")
    self.sliceSequences = sliceSequences
    (self.objective, self.world, self.team) = (objective, world, team)
    modelWeights = weights
    workers = workspaces.map { EvaluationWorker(workspace: $0) }
  }

  /// An evaluator of another objective with the same weights, threads and activations.
  ///
  /// `end` of either ends the threads of both.
  package func sharing<Other: Evaluable>(_ objective: Other) -> Evaluator<Other>
  where Other.Workspace == O.Workspace {
    let other = Evaluator<Other>(
      objective, weights: modelWeights, world: world, team: team,
      workspaces: workers.map(\.workspace))
    (other.watch, other.onSlice) = (watch, onSlice)
    return other
  }

  /// Ends the threads.
  ///
  /// The evaluator must not be used afterwards. Do not call it on a trainer's evaluator.
  package func end() { team.end() }

  /// The sum of the tallies of sequences 0..<`count`, equal on every rank.
  ///
  /// Every rank must call it. All ranks synchronize after each round of a few slices per worker. A
  /// round restarts the watchdog's time, and so does each slice (`onSlice`), so that a long
  /// evaluation is not mistaken for one that hangs.
  ///
  /// - Parameters:
  ///   - count: the number of sequences.
  ///   - shouldStop: whether this rank requests a stop; called after each round.
  ///   - source: reads the sequences; its step argument is 0.
  /// - Returns: the sum, with outputs in the order of the sequences; an empty tally for no
  ///   sequences.
  /// - Throws: `TrainerError.stopped` on every rank if any rank requests a stop; any rank's input
  ///   error.
  package func tally(
    sequences count: Int, shouldStop: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> Tally {
    let slices = stride(from: 0, to: count, by: sliceSequences).map {
      $0..<min($0 + sliceSequences, count)
    }
    let round = Self.roundSlices * (try world.sum([workers.count])[0])
    let (workers, objective, weights, onSlice) = (workers, objective, modelWeights, onSlice)
    var total = Tally()
    // A round's size depends on the number of workers, but its tallies are added slice by slice in
    // order, so rounds do not change the bits.
    for start in stride(from: 0, to: slices.count, by: round) {
      watch(.evaluation, "evaluation")
      let run = ReductionTree.share(
        start..<min(start + round, slices.count), of: world.rank, of: world.size)
      team.run { thread in
        let share = ReductionTree.share(run, of: thread, of: workers.count)
        workers[thread].evaluate(
          objective, slices[share], weights: weights, source: source, onSlice: onSlice)
      }
      watch(.evaluation, "meeting")
      try world.report(workers.compactMap(\.failure).first)
      if try world.anyRank(shouldStop()) { throw TrainerError.stopped }
      try world.gather(workers.flatMap(\.tallies), into: &total)
    }
    return total
  }
}

extension Evaluator where O: TrainingObjective {
  /// The metrics of sequences 0..<`count` of `source`, without dropout, equal on every rank.
  ///
  /// Every rank must call it. Parameters and errors are those of `tally`.
  package func metrics(
    sequences count: Int, shouldStop: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> MetricValues {
    objective.metrics(of: try tally(sequences: count, shouldStop: shouldStop, source: source))
  }
}

/// The state of one worker of an evaluator.
///
/// Unchecked sendability is safe: while the team runs, only the worker's thread uses it, and
/// between two runs only the main thread. The team's lock orders the two.
private final class EvaluationWorker<O: Evaluable>: @unchecked Sendable {  // ordered by the team
  let workspace: O.Workspace
  private(set) var tallies: [Tally] = []
  private(set) var failure: (any Error)?

  init(workspace: O.Workspace) { self.workspace = workspace }

  /// Evaluates slices of sequences; an error is stored in `failure`.
  func evaluate(
    _ objective: O, _ slices: ArraySlice<Range<Int>>, weights: Weights, source: BatchSource,
    onSlice: () -> Void
  ) {
    (tallies, failure) = ([], nil)
    do {
      for slice in slices {
        tallies.append(
          objective.evaluate(try source(0, slice), weights: weights, workspace: workspace))
        onSlice()
      }
    } catch {
      failure = error
    }
  }
}

extension Communicator {
  /// Adds the tallies of all ranks to `total`, in the order of the slices.
  ///
  /// Every rank must call it with its tallies in order; ranks hold ascending runs of slices. A rank
  /// may have none.
  func gather(_ tallies: [Tally], into total: inout Tally) throws {
    // A rank without tallies does not know how many sums each has: the mean over the ranks that do.
    let width = try sum([tallies.first?.sums.count ?? 0, tallies.isEmpty ? 0 : 1])
    let sums = try gather(tallies.flatMap(\.sums)).flatMap(\.self)
    let size = width[1] > 0 ? width[0] / width[1] : 0
    for start in stride(from: 0, to: sums.count, by: max(1, size)) {
      total.add(Tally(sums: Array(sums[start..<start + size])))
    }
    for list in [\Tally.positiveScores, \.negativeScores, \.outputs] {
      total[keyPath: list] += try gather(tallies.flatMap { $0[keyPath: list] }).flatMap(\.self)
    }
  }
}
