import Collectives
import Synchronization
import Tensors

/// The sum of the gradients of a subtree of slices.
package typealias Piece = (node: ReductionTree.Node, gradient: Storage)

/// How to compute one piece of a rank from the pieces of its workers.
package struct PieceSum: Sendable {
  let plan: SumPlan
  let pieces: [Piece]
  /// The sum, which overwrites one of `pieces`.
  package let output: Storage

  /// Sums the floats of `range`.
  ///
  /// Calls on disjoint ranges may run at the same time. A range must be summed only once per step,
  /// because `output` is one of the inputs.
  package func add(_ range: Range<Int>) {
    plan.add(
      pieces.map { .float32($0.gradient.base + range.lowerBound) }, count: range.count,
      into: output.base + range.lowerBound)
  }
}

/// Tracks a step's gradients on this rank: which pieces the workers hold, and which buckets are
/// final on all of them.
///
///     merge.begin(workers: 2)
///     merge.register(pieces)                               // each worker, before its last slice
///     merge.finish(range) { bucket, sums in send(...) }    // each worker, as ranges become final
///     let (sums, first) = merge.remainder()                // after all workers have finished
///
/// Workers register before they compute their last slice, not after it. The first bucket becomes
/// final in the middle of that slice, and can only be summed once the pieces of all workers are
/// known.
///
/// A gradient is final where every worker has called `finish` during its last slice: earlier slices
/// are complete by then, as each worker adds them before it registers.
package final class WorkerMerge: Sendable {
  private let tree: ReductionTree
  private let buckets: [Range<Int>]
  /// The subtrees that this rank contributes to the exchange.
  private let nodes: [ReductionTree.Node]
  /// Buckets before this one may be exchanged while workers compute.
  private let earlyBuckets: Int
  private let state = Mutex(State())

  private struct State {
    /// The pieces of all workers that have registered.
    var pieces: [Piece] = []
    var unregisteredWorkers = 0
    /// For each bucket, the floats that workers have yet to finish, summed over workers.
    var unfinished: [Int] = []
    /// The first bucket that `finish` has not reported.
    var nextBucket = 0
    /// Empty until all workers have registered.
    var sums: [PieceSum] = []
  }

  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - buckets: ranges of the vector, in the order in which they are exchanged.
  ///   - nodes: the subtrees that this rank contributes to the exchange.
  ///   - earlyBuckets: the number of leading buckets that may be exchanged while workers compute.
  package init(
    _ tree: ReductionTree, buckets: [Range<Int>], nodes: [ReductionTree.Node], earlyBuckets: Int
  ) {
    self.tree = tree
    self.buckets = buckets
    self.nodes = nodes
    self.earlyBuckets = earlyBuckets
  }

  /// Starts a sum to which `workers` workers will contribute.
  package func begin(workers: Int) {
    state.withLock {
      $0 = State(unregisteredWorkers: workers, unfinished: buckets.map { $0.count * workers })
      if workers == 0 { prepareSums(&$0) }
    }
  }

  /// Registers the pieces of a worker: sums that are final, and its last slice, which it computes
  /// next.
  package func register(_ pieces: [Piece]) {
    state.withLock {
      $0.pieces += pieces
      $0.unregisteredWorkers -= 1
      if $0.unregisteredWorkers == 0 { prepareSums(&$0) }
    }
  }

  /// Marks a range of a worker's gradient as final.
  ///
  /// - Parameters:
  ///   - range: floats that the worker will not write again in this step. A worker must finish
  ///     every float once.
  ///   - onFinal: called with each early bucket that is now final on all workers, in the order of
  ///     the buckets and under the lock, so that all ranks exchange buckets in one order. It must
  ///     not call this object.
  package func finish(_ range: Range<Int>, onFinal: (_ bucket: Int, _ sums: [PieceSum]) -> Void) {
    state.withLock { state in
      for (bucket, floats) in buckets.enumerated() where floats.overlaps(range) {
        state.unfinished[bucket] -= floats.clamped(to: range).count
      }
      // A final bucket waits for the ones before it: another rank may finish them in another order.
      while state.nextBucket < earlyBuckets, !state.sums.isEmpty,
        state.unfinished[state.nextBucket] == 0
      {
        onFinal(state.nextBucket, state.sums)
        state.nextBucket += 1
      }
    }
  }

  /// The sums of this rank, and the first bucket that `finish` has not reported.
  ///
  /// Valid after all workers have finished. A rank without slices has no sums, and reports no
  /// bucket early.
  package func remainder() -> (sums: [PieceSum], firstBucket: Int) {
    state.withLock { ($0.sums, $0.nextBucket) }
  }

  /// Plans the sum of each of this rank's subtrees.
  ///
  /// A sum overwrites the piece with the subtree's first slice. That piece belongs to no other
  /// subtree, so no sum overwrites an input of another.
  private func prepareSums(_ state: inout State) {
    let held = state.pieces.map(\.node)
    state.sums = nodes.map { node in
      guard let plan = SumPlan(node, of: tree, from: held),
        let first = held.firstIndex(where: { $0.slices.lowerBound == node.slices.lowerBound })
      else { preconditionFailure("the workers' pieces do not make up the rank's") }
      return PieceSum(plan: plan, pieces: state.pieces, output: state.pieces[first].gradient)
    }
  }
}
