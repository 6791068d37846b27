import Layers
import Tensors

/// Whose last layers stand on the encoder (`--head`).
package enum HeadStyle: String, Sendable, Codable, CaseIterable {
  /// Those of transformers, which can then load the model.
  case transformers
  /// Those of the paper's own code.
  case reference
}

/// What a head reads of a micro-batch.
struct HeadInput {
  /// The encoder's output. (N, D)
  let hidden: Tensor
  let batch: Batch
  let arena: Arena
  let pass: PassContext
}

/// The last layers of a fine-tuned model: they turn the encoder's output into answers.
///
/// Shapes, beside those of `PassContext`: C outputs, one for each label or one for a score. The gradient
/// contract is that of all layers: parameter gradients are added to, that of the encoder's output is
/// written. A head keeps nothing between calls, and takes its memory of the arena.
protocol Head: Sendable {
  /// Takes what `answers` and `learn` take for a micro-batch of this shape.
  func reserve(_ shape: BatchShape, arena: Arena)

  /// How many numbers answer a sequence of so many tokens.
  func answerCount(tokens: Int) -> Int

  /// The numbers that answer each sequence of the micro-batch, end to end.
  func answers(_ input: HeadInput) -> [Float]

  /// The sum of the losses of all sequences, in nats or squares. Adds `weight` times the parameters'
  /// gradients and writes that of `input.hidden` (N, D) into `gradient`.
  ///
  /// - Parameters:
  ///   - input: the micro-batch.
  ///   - targets: one a sequence.
  ///   - weight: what a sequence's loss weighs in the gradient.
  ///   - gradient: overwritten.
  /// - Returns: the sum of the losses, without the weight.
  func learn(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double
}

extension Tensor {
  /// Row `index` in Double.
  func doubles(row index: Int) -> [Double] {
    (0..<columns).map { Double(self[index, $0]) }
  }

  /// Drops elements of every row in place; row b belongs to sequence b.
  func drop(_ site: DropoutSite, _ pass: PassContext) {
    for b in 0..<rows {
      let row = rows(b..<b + 1)
      row.applyDropout(pass.dropout(site, sequence: b), into: row)
    }
  }

  /// Drops elements in place; the rows of `pass.ranges` belong to its sequences.
  func dropTokens(_ site: DropoutSite, _ pass: PassContext) {
    for (index, range) in pass.ranges.enumerated() {
      rows(range).applyDropout(pass.dropout(site, sequence: index), into: rows(range))
    }
  }

  /// All floats, row by row.
  var floats: [Float] { (0..<rows).flatMap { r in (0..<columns).map { self[r, $0] } } }
}
