import Collectives
import Layers
import Tensors

/// Which rank orthogonalises which matrix in Muon's update.
///
/// Parts of ranks may cut a matrix, as they may cut any tensor: the owners of its parts keep the
/// moment and update the weights. For the orthogonalisation one rank gathers the whole matrix and
/// sends the parts of the result back. So gradients and moments stay evenly distributed, and the
/// additional messages of a rank have about 1 / ranks of the matrices, in each of the two
/// exchanges. (If parts did not cut matrices, the sum of a matrix's gradient would go to one rank,
/// whose network link would limit the step.)
package struct MatrixPlan: Sendable {
  /// The matrices, in the order of the vector.
  let matrices: [Parameter]
  /// The rank that orthogonalises each matrix.
  private let ranks: [Int]
  private let partition: Partition

  /// Assigns the matrices in the order of their work, largest first, each to the rank with the
  /// least work so far.
  package init(_ matrices: [Parameter], _ partition: Partition) {
    self.matrices = matrices
    self.partition = partition
    var ranks = [Int](repeating: 0, count: matrices.count)
    var work = [Double](repeating: 0, count: partition.rankCount)
    for index in Self.largestFirst(matrices) {
      let least = work.indices.reduce(0) { work[$1] < work[$0] ? $1 : $0 }
      ranks[index] = least
      work[least] += matrices[index].orthogonalization
    }
    self.ranks = ranks
  }

  /// The matrices of `rank`, those with most work first.
  package func matrices(of rank: Int) -> [Parameter] {
    Self.largestFirst(matrices).filter { ranks[$0] == rank }.map { matrices[$0] }
  }

  /// The indices of `matrices` by falling work; matrices of equal work keep their order.
  private static func largestFirst(_ matrices: [Parameter]) -> [Int] {
    matrices.indices.sorted {
      let (first, second) = (matrices[$0].orthogonalization, matrices[$1].orthogonalization)
      return first == second ? $0 < $1 : first > second
    }
  }

  /// The segments that `rank` exchanges with the others.
  package func segments(of rank: Int) -> SegmentExchange.Segments {
    let none = [[Range<Int>]](repeating: [], count: partition.rankCount)
    var segments = SegmentExchange.Segments(outgoing: none, incoming: none)
    for (matrix, gatherer) in zip(matrices, ranks) {
      for (bucket, range) in partition.buckets.enumerated() where range.overlaps(matrix.range) {
        func part(_ owner: Int) -> Range<Int>? {
          let part = partition.part(bucket, of: owner).clamped(to: matrix.range)
          return part.isEmpty ? nil : part
        }
        if gatherer != rank {
          segments.outgoing[gatherer] += part(rank).map { [$0] } ?? []
          continue
        }
        for owner in none.indices where owner != rank {
          segments.incoming[owner] += part(owner).map { [$0] } ?? []
        }
      }
    }
    return segments
  }

  /// The floats that `rank` sends in a step, and the floats of its buffers.
  ///
  /// It sends its parts of the matrices that others orthogonalise, and others' parts of those that
  /// it orthogonalises.
  package func sentCount(of rank: Int) -> Int {
    let counts = segments(of: rank).counts
    return counts.outgoing + counts.incoming
  }

  /// The most temporary floats that a worker needs.
  var scratchCount: Int {
    matrices.reduce(0) {
      max($0, NewtonSchulz.scratchCount(rows: $1.rows, columns: $1.columns))
    }
  }
}
