import Finetuning
import Models
import Tensors

/// The parts of the training data in a k-fold cross-validation (`--folds`).
///
///     let folds = try Folds(5, heldOut, seed: 1)
///     let train = set.part { folds.assignment[$0] != 0 }
///
/// The parts depend on the seed and on the data alone. Their sizes differ by at most one item, and
/// so do the numbers of items of each class.
package struct Folds: Sendable, Equatable {
  package let count: Int
  /// The fold of each row or sentence, from 0.
  package let assignment: [Int]

  /// Deals the items of `set` to `count` folds, class by class, in a random order within each.
  ///
  /// - Parameters:
  ///   - count: the number of folds.
  ///   - set: the training file, with one example for each row or the pieces of each sentence.
  ///   - seed: of the order.
  /// - Throws: `UsageError` for too few or too many folds, and for questions.
  package init(_ count: Int, _ set: ExampleSet, seed: UInt64) throws {
    let items = set.itemCount
    if set.task.problem == .span {
      throw UsageError("--folds is for texts and tags; give --dev for questions")
    }
    if !(2...max(2, items) ~= count) || items < 2 {
      throw UsageError(
        "--folds \(count) is not between 2 and the \(items) examples of \(set.path)")
    }
    self.count = count
    // Epochs have their number as the stream, so the last stream is free.
    let random = Permutation(count: items, seed: seed, stream: .max)
    let shuffled = (0..<items).map { random[$0] }
    let order =
      set.itemClasses.map { classes in
        Dictionary(grouping: shuffled) { classes[$0] }.sorted { $0.key < $1.key }.flatMap(\.value)
      } ?? shuffled
    var assignment = [Int](repeating: 0, count: items)
    for (position, item) in order.enumerated() { assignment[item] = position % count }
    self.assignment = assignment
  }
}
