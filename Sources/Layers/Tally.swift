/// What one slice contributes to the metrics: sums in Double, and the scores of binary decisions.
///
/// Tallies are added in slice order, so that metrics do not depend on the number of ranks or
/// threads.
package struct Tally: Sendable, Equatable {
  /// Sums whose meaning the objective defines.
  package var sums: [Double]
  /// The logits of examples of the positive class, for an exact area under the ROC curve.
  package var positiveScores: [Float]
  /// The logits of examples of the negative class.
  package var negativeScores: [Float]
  /// Counts of pairs of scores, which stand for the scores of many batches in a total; else nil.
  ///
  /// `add` does not change them.
  package var pairCounts: PairCounts?
  /// The outputs of the model, sequence by sequence; the objective defines their meaning.
  package var outputs: [Float]

  package init(
    sums: [Double] = [], positiveScores: [Float] = [], negativeScores: [Float] = [],
    outputs: [Float] = []
  ) {
    self.sums = sums
    self.positiveScores = positiveScores
    self.negativeScores = negativeScores
    self.outputs = outputs
  }

  /// Adds the tally of the next slice; an empty tally has no sums yet and takes those of `next`.
  package mutating func add(_ next: Tally) {
    if sums.isEmpty {
      sums = next.sums
    } else {
      precondition(sums.count == next.sums.count, "tallies of different objectives")
      for i in sums.indices { sums[i] += next.sums[i] }
    }
    positiveScores += next.positiveScores
    negativeScores += next.negativeScores
    outputs += next.outputs
  }
}
