import Collectives
import Synchronization
import Tensors

/// A sum of gradients of a run of slices.
package typealias Piece = (node: ReductionTree.Node, gradient: Storage)

/// How one piece of a rank is summed from the pieces of its workers.
package struct PieceSum: Sendable {
  let plan: SumPlan
  let pieces: [Piece]
  /// One of `pieces`: the sum needs no memory of its own.
  package let output: Storage

  /// Sums the floats of `range`.
  package func add(_ range: Range<Int>) {
    plan.add(
      pieces.map { $0.gradient.base + range.lowerBound }, count: range.count,
      into: output.base + range.lowerBound)
  }
}

/// Keeps track of a step's gradients on this rank: which workers bring which pieces, and which buckets
/// are final on all of them.
///
///     merge.begin(workers: 2)
///     merge.register(pieces)                               // each worker, before its last slice
///     merge.finish(range) { bucket, sums in send(...) }    // each worker, as ranges become final
///     let (sums, first) = merge.rest()                     // once all workers are through
///
/// Workers register before they compute their last slice, and not when they are through: the first
/// bucket becomes final in the middle of that slice, and it can only be summed when it is known what
/// everybody brings.
package final class WorkerMerge: Sendable {
  private let buckets: [Range<Int>]
  /// The subtrees that this rank brings to the exchange.
  private let nodes: [ReductionTree.Node]
  /// Buckets before this one may be handed on while workers compute.
  private let earlyBuckets: Int
  private let state = Mutex(State())

  private struct State {
    /// What the workers that have registered hold.
    var pieces: [Piece] = []
    var workersToCome = 0
    /// The floats of each bucket that workers have yet to finish.
    var unfinished: [Int] = []
    /// The first bucket that has not been handed on.
    var next = 0
    /// Empty until all workers have registered.
    var sums: [PieceSum] = []
  }

  /// - Parameters:
  ///   - buckets: ranges of the vector, in the order in which they are exchanged.
  ///   - nodes: the subtrees that this rank brings to the exchange.
  ///   - earlyBuckets: the number of first buckets that may be handed on while workers compute.
  package init(buckets: [Range<Int>], nodes: [ReductionTree.Node], earlyBuckets: Int) {
    self.buckets = buckets
    self.nodes = nodes
    self.earlyBuckets = earlyBuckets
  }

  /// Starts a sum to which `workers` workers will contribute.
  package func begin(workers: Int) {
    state.withLock {
      $0 = State(workersToCome: workers, unfinished: buckets.map { $0.count * workers })
      if workers == 0 { prepareSums(&$0) }
    }
  }

  /// Registers the pieces of a worker: sums that are final, and its last slice, which it computes next.
  package func register(_ pieces: [Piece]) {
    state.withLock {
      $0.pieces += pieces
      $0.workersToCome -= 1
      if $0.workersToCome == 0 { prepareSums(&$0) }
    }
  }

  /// Marks a range of a worker's gradient as final.
  ///
  /// - Parameters:
  ///   - range: floats that the worker will not touch again.
  ///   - handOn: called with each early bucket that is now final on all workers, in the order of the
  ///     buckets and under the lock: all ranks must exchange buckets in one order.
  package func finish(_ range: Range<Int>, handOn: (_ bucket: Int, _ sums: [PieceSum]) -> Void) {
    state.withLock { state in
      for (bucket, floats) in buckets.enumerated() where floats.overlaps(range) {
        state.unfinished[bucket] -= floats.clamped(to: range).count
      }
      while state.next < earlyBuckets, !state.sums.isEmpty, state.unfinished[state.next] == 0 {
        handOn(state.next, state.sums)
        state.next += 1
      }
    }
  }

  /// The sums of this rank, none if it has no slice, and the first bucket that was not handed on.
  package func rest() -> (sums: [PieceSum], firstBucket: Int) {
    state.withLock { ($0.sums, $0.next) }
  }

  private func prepareSums(_ state: inout State) {
    let held = state.pieces.map(\.node)
    state.sums = nodes.map { node in
      guard let plan = SumPlan(node, from: held),
        let first = held.firstIndex(where: { $0.slices.lowerBound == node.slices.lowerBound })
      else { preconditionFailure("the workers' pieces do not make up the rank's") }
      return PieceSum(plan: plan, pieces: state.pieces, output: state.pieces[first].gradient)
    }
  }
}
