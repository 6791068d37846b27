import Layers
import Tensors

/// Which head is put on the encoder (`--head`).
package enum HeadStyle: String, Sendable, Codable, CaseIterable {
  /// The heads of Hugging Face's transformers, which can load the fine-tuned model.
  case transformers
  /// The heads of the paper's code.
  case reference
}

/// The input of a head for one micro-batch.
struct HeadInput {
  /// The encoder's output. (N, D)
  let hidden: Tensor
  let batch: Batch
  let arena: Arena
  let pass: PassContext
  /// The weight of each class in the loss; empty if all are 1.
  var classWeights: [Double] = []

  /// The softmax cross-entropy of a label times the label's weight, and its derivatives by the
  /// logits.
  func crossEntropy(_ logits: [Double], label: Int) -> (loss: Double, derivatives: [Double]) {
    let (loss, derivatives) = softmaxCrossEntropy(logits: logits, label: label)
    if classWeights.isEmpty { return (loss, derivatives) }
    let weight = classWeights[label]
    return (weight * loss, derivatives.map { weight * $0 })
  }
}

/// The last layers of a fine-tuned model: they turn the encoder's output into the task's outputs.
///
/// Shapes, in addition to those of `PassContext`: C is the number of outputs of a sequence or a
/// token, one for each label or a single score. The gradient contract is the one of all layers: a
/// head adds to parameter gradients and overwrites the gradient of the encoder's output. A head
/// keeps no state between calls; it allocates activations in the arena.
protocol Head: Sendable {
  /// Allocates everything that `outputs` or `accumulateGradients` allocates for a micro-batch of
  /// this shape.
  ///
  /// `TaskModel.capacity` measures the size of an arena with it.
  func reserve(_ shape: BatchShape, arena: Arena)

  /// The number of floats that `outputs` returns for a sequence of `tokens` tokens.
  func outputCount(tokens: Int) -> Int

  /// The outputs of each sequence of the micro-batch, concatenated in the order of the batch.
  func outputs(_ input: HeadInput) -> [Float]

  /// Computes the loss and its gradients by the parameters and by the encoder's output.
  ///
  /// Adds to the parameters' gradients and overwrites `gradient`, both multiplied by `weight`. A
  /// sequence whose target is of another kind, or unknown, has loss 0 and gradient 0. The
  /// cross-entropies of labels and tags are multiplied by `input.classWeights`.
  ///
  /// - Parameters:
  ///   - input: the micro-batch.
  ///   - targets: one for each sequence.
  ///   - weight: the factor of the gradients, usually 1 / (sum of the weights of all losses in
  ///     the batch), which is their number without class weights.
  ///   - gradient: the gradient of `input.hidden`, overwritten. (N, D)
  /// - Returns: the sum of the losses (cross-entropies in nats, or squared errors), not multiplied
  ///   by `weight`.
  func accumulateGradients(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double
}

extension Tensor {
  /// Row `index` in double precision.
  func doubles(row index: Int) -> [Double] {
    (0..<columns).map { Double(self[index, $0]) }
  }

  /// Applies dropout in place to a matrix with one row for each sequence. (B, *)
  ///
  /// The mask depends on the sequence and not on the micro-batch. A second call, on the gradient,
  /// drops the same elements.
  func drop(_ site: DropoutSite, _ pass: PassContext) {
    for b in 0..<rows {
      let row = rows(b..<b + 1)
      row.applyDropout(pass.dropout(site, sequence: b), into: row)
    }
  }

  /// Applies dropout in place to a matrix with one row for each token. (N, *)
  ///
  /// Like `drop`, where the rows `pass.ranges[b]` belong to sequence b.
  func dropTokens(_ site: DropoutSite, _ pass: PassContext) {
    for (index, range) in pass.ranges.enumerated() {
      rows(range).applyDropout(pass.dropout(site, sequence: index), into: rows(range))
    }
  }

  /// All elements, row by row, without padding.
  var floats: [Float] { (0..<rows).flatMap { r in (0..<columns).map { self[r, $0] } } }
}
