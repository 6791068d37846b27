import Layers
import Tensors

extension Worker {
  /// Computes this worker's slices again and returns the first with a non-finite gradient, if any.
  ///
  /// It overwrites the worker's gradients, whose sum is useless by then. `onSlice` is called after
  /// each finite slice.
  func firstNonFiniteSlice(
    _ objective: O, totals: [Int], weights: Weights, count: Int, onSlice: () -> Void
  ) -> Divergence.Slice? {
    let parameters = objective.layout.parameters
    for (number, batch) in zip(slices, batches) {
      sums.reset()
      let gradient = sums.next()
      let tally = objective.accumulate(
        batch, totals: totals, weights: weights, gradient: gradient, workspace: workspace,
        progress: ParameterProgress(willRead: { _ in }, didFinish: { _ in }))
      sums.push(gradient, slice: number)
      let tensors = parameters.filter { !Trainer<O>.isFinite(gradient, $0) }.map(\.name)
      guard !tensors.isEmpty else {
        onSlice()
        continue
      }
      let losses = objective.metrics(of: tally).filter {
        $0.name.rawValue.hasSuffix("_loss") && !$0.value.isFinite
      }
      return Divergence.Slice(
        number: number, count: count, tensors: tensors, losses: losses.map(\.name.rawValue),
        batch: batch)
    }
    return nil
  }
}
