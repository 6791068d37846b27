/// How a pass reports which weights it reads and which gradients it has finished.
///
/// The trainer uses the reports to overlap communication with computation: weights of the previous
/// step's update still arrive while the forward pass runs, and gradients are reduced while the
/// backward pass continues. One step of ELECTRA with one micro-batch, from top to bottom:
///
///     pass                        willRead                      didFinish
///     generator, forward          embeddings, generator
///     generator, backward                                       generator
///     discriminator, forward      projection
///                                 layer 1, ..., layer L
///                                 head
///     discriminator, backward                                   head
///                                                               layer L, ..., layer 1
///                                                               projection
///     end of the slice                                          embeddings
///
/// - `willRead` comes before the first read of a range and may block until the range is up to date.
///   Reading a range without it is a data race with the weights that arrive.
/// - `didFinish` comes after the last write to a range of the gradient, so only in the last
///   micro-batch of a slice, and once for every float. Writing to a range after it is a data race
///   with the reduction.
/// - Both cover the whole flat vector in every slice, even where a stage of training skips a
///   network: all ranks take part in the reduction and the update of every range.
package struct ParameterProgress {
  /// Announces that the weights of a range will be read; returns when they are up to date.
  package let willRead: (Range<Int>) -> Void
  /// Announces that the gradient of a range is final.
  package let didFinish: (Range<Int>) -> Void

  /// Reports to these functions, by default to nobody.
  package init(
    willRead: @escaping (Range<Int>) -> Void = { _ in },
    didFinish: @escaping (Range<Int>) -> Void = { _ in }
  ) {
    self.willRead = willRead
    self.didFinish = didFinish
  }
}
