import Tensors

/// The sizes of a micro-batch that determine how much memory its activations take.
package struct BatchShape: Sendable, Equatable {
  /// The number of tokens, N.
  package let tokens: Int
  /// The number of sequences, B.
  package let sequences: Int
  /// The length of the longest sequence, T.
  package let longest: Int
  /// The sum of squared sequence lengths: the number of attention probabilities per head.
  package let squares: Int
  /// Whether the backward pass recomputes activations inside encoder layers (gradient
  /// checkpointing) instead of keeping them.
  package var recomputes = false
  /// The arithmetic of the matrix products.
  package var arithmetic = Arithmetic.float32

  /// The shape of sequences at these token ranges, which lie end to end from 0.
  package init(_ ranges: [Range<Int>]) {
    tokens = ranges.last?.upperBound ?? 0
    sequences = ranges.count
    longest = ranges.map(\.count).max() ?? 0
    squares = ranges.reduce(0) { $0 + $1.count * $1.count }
  }

  /// An upper bound for every micro-batch of `tokens` tokens whose sequences have at most
  /// `longest`.
  package init(tokens: Int, longest: Int) {
    self.tokens = max(tokens, longest)
    sequences = self.tokens
    self.longest = longest
    // The sum of squares is largest when every sequence has the greatest length.
    squares = self.tokens * longest
  }
}
