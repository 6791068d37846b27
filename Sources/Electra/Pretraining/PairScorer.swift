import Layers
import Tensors
import Tokenization

/// Decides which sentence of a minimal pair a model prefers: the one with the higher score.
///
/// The score is a sum over the tokens of a sentence without [CLS] and [SEP]:
///
///     detection             sum of log (1 - P(replaced)); one pass per sentence
///     pseudoLogLikelihood   sum of log P(token); one pass per token, with [MASK] in its place
///
/// Salazar et al. 2020 ("Masked Language Model Scoring") define the second. The first is its
/// analogue for a discriminator.
///
/// A slice has the good and the bad sentence of each pair in turn. The outputs of its tally are 1
/// for each pair whose good sentence has the higher score, 1/2 for a tie and 0 otherwise.
package struct PairScorer: Evaluable {
  /// How sentences are scored; raw values are those of the JSON output.
  package enum Score: String, Sendable {
    case detection = "replaced token detection"
    case pseudoLogLikelihood = "pseudo-log-likelihood"
  }

  private let objective: PretrainingObjective

  /// Scores with the model of `objective`, by detection if it detects replaced tokens.
  package init(_ objective: PretrainingObjective) { self.objective = objective }

  package var score: Score {
    objective.model.task.objective.detects ? .detection : .pseudoLogLikelihood
  }
  package var arithmetic: Arithmetic { objective.arithmetic }

  /// The number of longest sequences that fit a workspace; a trainer's have room for as many.
  private static let workspaceSequences = 16

  /// The most tokens of a micro-batch.
  private var tokenLimit: Int {
    min(objective.microBatchTokens, Self.workspaceSequences * objective.longest)
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    objective.makeWorkspace(sequences: Self.workspaceSequences)
  }

  package func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    let run = Run(objective: objective, weights: weights, arena: workspace, tokenLimit: tokenLimit)
    let scores = score == .detection ? run.detection(slice) : run.pseudoLogLikelihoods(slice)
    return Tally(
      outputs: stride(from: 0, to: scores.count, by: 2).map { good in
        let (good, bad) = (scores[good], scores[good + 1])
        return good > bad ? 1 : good == bad ? 0.5 : 0
      })
  }
}

/// The passes of one slice.
private struct Run {
  let objective: PretrainingObjective
  let weights: Weights
  let arena: Arena
  let tokenLimit: Int

  /// The score of each sequence of `slice` by replaced token detection.
  func detection(_ slice: Batch) -> [Double] {
    slice.microBatches(tokenLimit: tokenLimit).flatMap { part in
      let logits = pass(part, .init(tokens: part.tokens)).discriminate(part.tokens, weight: nil)
        .logits
      return part.ranges.map { range in
        range.dropFirst().dropLast().reduce(0.0) {
          $0 - sigmoidCrossEntropy(logit: logits[$1], label: false).loss
        }
      }
    }
  }

  /// The pseudo-log-likelihood of each sequence of `slice`.
  func pseudoLogLikelihoods(_ slice: Batch) -> [Double] {
    var scores = [Double](repeating: 0, count: slice.sequenceCount)
    var copies = MaskedCopies()
    func add() {
      if copies.sequences.isEmpty { return }
      let outcomes = pass(copies.batch, copies.masked).predict(copies.masked.tokens, weight: nil)
      for (sequence, outcome) in zip(copies.sequences, outcomes) {
        scores[sequence] -= Double(outcome.loss)
      }
      copies = MaskedCopies()
    }
    for (sequence, range) in slice.ranges.enumerated() {
      for position in range.dropFirst().dropLast() {
        if copies.batch.tokenCount + range.count > tokenLimit { add() }
        copies.append(
          slice.tokens[range], masking: position - range.lowerBound,
          with: objective.masking.special.mask, of: sequence)
      }
    }
    add()
    return scores
  }

  private func pass(_ batch: Batch, _ masked: Masking.Masked) -> MicroBatchPass {
    arena.release(to: 0)
    let context = PassContext(
      batch: batch, weights: weights, gradient: nil, seed: nil, recomputes: objective.recomputes)
    return MicroBatchPass(objective.model, batch, masked, pass: context, arena: arena)
  }
}

/// Copies of sequences, each with one masked token.
private struct MaskedCopies {
  /// The copies with their original tokens.
  var batch = Batch()
  var masked = Masking.Masked(tokens: [])
  /// The sequence of the slice that each copy is of.
  var sequences: [Int] = []

  mutating func append(
    _ tokens: ArraySlice<Int32>, masking offset: Int, with mask: Int32, of sequence: Int
  ) {
    let position = batch.tokenCount + offset
    batch.append(tokens: tokens, segmentIDs: repeatElement(0, count: tokens.count))
    masked.tokens += tokens
    masked.positions.append(Int32(position))
    masked.targets.append(masked.tokens[position])
    masked.tokens[position] = mask
    sequences.append(sequence)
  }
}
