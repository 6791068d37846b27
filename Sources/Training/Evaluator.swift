import Collectives
import Layers
import Platform
import Tensors

/// Runs a model on sequences without training it: metrics of held-out data, or a model's outputs.
///
///     let evaluator = try Evaluator(objective, weights: weights, world: world, processors: [0, 1])
///     defer { evaluator.end() }
///     let metrics = try evaluator.metrics(sequences: 2048) { _, sequences in heldOut(sequences) }
///
/// The result has the same bits on any number of ranks and workers: sequences are cut into slices of a
/// fixed size, and slices are added in their order. A trainer owns an evaluator that shares its weights,
/// threads and activations; alone it needs neither gradients nor moments.
package final class Evaluator<O: Evaluable> {
  package let objective: O
  /// The flat vector of weights, the same on every rank.
  package let weights: Storage
  /// Called with each part of an evaluation as it begins.
  package var watch: (_ section: Watchdog.Section, _ part: String) -> Void = { _, _ in }
  private let world: Communicator
  private let team: WorkerTeam
  private let workers: [EvaluationWorker<O>]
  private let sliceSequences: Int

  /// Sequences of a slice, unless an evaluator is made with another number.
  package static var sliceSequences: Int { 16 }

  /// Slices of a worker between two meetings of the ranks: minutes for the largest models, and enough
  /// that slices of many and of few tokens even out.
  private static var roundSlices: Int { 4 }

  /// An evaluator of its own. Every rank must call it: the weights of rank zero are copied into
  /// `weights` on all.
  ///
  /// - Parameters:
  ///   - processors: one worker for each; a negative number leaves a worker free to move.
  ///   - sliceSequences: sequences of a slice, which one worker evaluates at a time.
  package convenience init(
    _ objective: O, weights: Storage, world: Communicator, processors: [Int],
    sliceSequences: Int = sliceSequences
  ) throws {
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: processors.count)
    try world.broadcast(weights.base, count: weights.count)
    self.init(
      objective, weights: weights, world: world, team: WorkerTeam(processors: processors),
      workspaces: processors.map { _ in objective.makeWorkspace(sequences: sliceSequences) },
      sliceSequences: sliceSequences)
  }

  /// An evaluator that shares what somebody else owns; there is a workspace for each thread of the team,
  /// for at least `sliceSequences` sequences.
  init(
    _ objective: O, weights: Storage, world: Communicator, team: WorkerTeam,
    workspaces: [O.Workspace], sliceSequences: Int = sliceSequences
  ) {
    precondition(workspaces.count == team.count, "a workspace for each thread")
    self.sliceSequences = sliceSequences
    (self.objective, self.weights, self.world, self.team) = (objective, weights, world, team)
    workers = workspaces.map { EvaluationWorker(workspace: $0) }
  }

  /// Ends the threads. The evaluator must not be used afterwards.
  package func end() { team.end() }

  /// The sum of the tallies of sequences 0..<`count`, the same on every rank, outputs in the order of
  /// the sequences. Every rank must call it.
  ///
  /// All ranks meet after each round of a few slices a worker, so that the watchdog can tell a long
  /// evaluation from one that hangs.
  ///
  /// - Parameter isAsked: whether this rank wants to stop.
  /// - Throws: `TrainerError.stopped` on every rank when any of them wants to; any rank's input error.
  package func tally(
    sequences count: Int, isAsked: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> Tally {
    let slices = stride(from: 0, to: count, by: sliceSequences).map {
      $0..<min($0 + sliceSequences, count)
    }
    let round = Self.roundSlices * (try world.sum([workers.count])[0])
    let (workers, objective, weights) = (workers, objective, weights)
    var total = Tally()
    for start in stride(from: 0, to: slices.count, by: round) {
      watch(.evaluation, "evaluation")
      let run = ReductionTree.share(
        start..<min(start + round, slices.count), of: world.rank, of: world.size)
      team.run { thread in
        let share = ReductionTree.share(run, of: thread, of: workers.count)
        workers[thread].evaluate(objective, slices[share], weights: weights, source: source)
      }
      watch(.evaluation, "meeting")
      try world.report(workers.compactMap(\.failure).first)
      if try world.sum([isAsked() ? 1 : 0])[0] > 0 { throw TrainerError.stopped }
      try world.gather(workers.flatMap(\.tallies), into: &total)
    }
    return total
  }
}

extension Evaluator where O: TrainingObjective {
  /// The metrics of sequences 0..<`count` of `source`, without dropout, the same on every rank.
  ///
  /// - Parameter isAsked: whether this rank wants to stop; then `TrainerError.stopped` is thrown.
  package func metrics(
    sequences count: Int, isAsked: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> MetricValues {
    objective.metrics(of: try tally(sequences: count, isAsked: isAsked, source: source))
  }
}

/// What one thread of an evaluator holds.
///
/// Unchecked: only its thread touches it while the team runs, and only the main thread between two
/// runs; the team's lock orders the two.
private final class EvaluationWorker<O: Evaluable>: @unchecked Sendable {
  private let workspace: O.Workspace
  private(set) var tallies: [Tally] = []
  private(set) var failure: (any Error)?

  init(workspace: O.Workspace) { self.workspace = workspace }

  /// Evaluates slices of sequences; an error is kept for the main thread.
  func evaluate(
    _ objective: O, _ slices: ArraySlice<Range<Int>>, weights: Storage, source: BatchSource
  ) {
    (tallies, failure) = ([], nil)
    do {
      for slice in slices {
        tallies.append(
          objective.evaluate(try source(0, slice), weights: weights, workspace: workspace))
      }
    } catch {
      failure = error
    }
  }
}

extension Communicator {
  /// Adds the tallies of all ranks to `total`, in the order of the slices. Every rank must call it.
  func gather(_ tallies: [Tally], into total: inout Tally) throws {
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
