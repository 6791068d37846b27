import Tensors

/// A model that maps slices of a batch to tallies, without dropout and without gradients.
///
/// Inference needs only this protocol: `Evaluator` runs it on all workers of all ranks.
package protocol Evaluable: Sendable {
  /// The activations of one worker thread, allocated once and used for every slice.
  associatedtype Workspace

  /// The arithmetic of the matrix products.
  var arithmetic: Arithmetic { get }

  /// Allocates the workspace for slices of at most `sequences` sequences.
  func makeWorkspace(sequences: Int) -> Workspace

  /// The tally of a slice, computed without dropout.
  ///
  /// It must be a function of the slice and the weights alone: the slice may run on any worker.
  func evaluate(_ slice: Batch, weights: Weights, workspace: Workspace) -> Tally
}
