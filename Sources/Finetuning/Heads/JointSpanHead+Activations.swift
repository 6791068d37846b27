import Layers
import Tensors

extension JointSpanHead {
  /// The tensors of one micro-batch, allocated in the arena.
  ///
  /// W is `JointSpanHead.width`.
  struct Activations {
    let startLogits: Tensor, endLogits: Tensor  // (1, N)
    let startGradient: Tensor, endGradient: Tensor  // (1, N)
    /// What each token contributes to the hidden layer before GELU; then GELU's derivative.
    let geluDerivative: Tensor  // (N, W)
    /// GELU's output and its gradient.
    let dense: Tensor, denseGradient: Tensor  // (N, W)
    /// What the start token and the bias contribute to every token of the sequence, and its
    /// gradient.
    let startTerm: Tensor, startTermGradient: Tensor  // (1, W)
    /// The gradient of the encoder's output through the start logits.
    let branchGradient: Tensor  // (N, D)
    let noAnswer: NoAnswerActivations

    init(tokens: Int, sequences: Int, size: Int, arena: Arena) {
      func row() -> Tensor { arena.tensor(1, tokens) }
      func wide() -> Tensor { arena.tensor(tokens, JointSpanHead.width) }
      (startLogits, endLogits, startGradient, endGradient) = (row(), row(), row(), row())
      (geluDerivative, dense, denseGradient) = (wide(), wide(), wide())
      startTerm = arena.tensor(1, JointSpanHead.width)
      startTermGradient = arena.tensor(1, JointSpanHead.width)
      branchGradient = arena.tensor(tokens, size)
      noAnswer = NoAnswerActivations(sequences, size: size, arena: arena)
    }
  }

  /// The tensors of the classifier that predicts whether a sequence holds no answer.
  struct NoAnswerActivations {
    /// [h_0, sum of p_t h_t] for each sequence, and its gradient.
    let features: Tensor, featureGradient: Tensor  // (B, 2 D)
    /// GELU's derivative, its output and the gradient of its output.
    let geluDerivative: Tensor, dense: Tensor, denseGradient: Tensor  // (B, W)
    let logits: Tensor, logitGradient: Tensor  // (1, B)

    init(_ sequences: Int, size: Int, arena: Arena) {
      func wide() -> Tensor { arena.tensor(sequences, JointSpanHead.width) }
      features = arena.tensor(sequences, 2 * size)
      featureGradient = arena.tensor(sequences, 2 * size)
      (geluDerivative, dense, denseGradient) = (wide(), wide(), wide())
      logits = arena.tensor(1, sequences)
      logitGradient = arena.tensor(1, sequences)
    }
  }
}
