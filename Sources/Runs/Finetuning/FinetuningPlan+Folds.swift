import Finetuning
import Models

extension FinetuningPlan {
  /// The plan that trains on all folds but one, which is its dev set.
  func fold(_ number: Int) -> FinetuningPlan {
    guard let assignment = folds?.assignment else { return self }
    var plan = self
    plan.fold = number
    plan.train = train.part { assignment[$0] != number - 1 }
    plan.dev = dev.map { $0.part { assignment[$0] == number - 1 } }
    plan.configuration.targetScale = TargetScale(plan.train)
    return plan
  }

  /// Throws `UsageError` if a fold trains on equal labels or scores only.
  func expectTrainableFolds() throws {
    guard let folds else { return }
    for number in 1...folds.count {
      let targets = fold(number).train.examples.map(\.target)
      if targets.allSatisfy({ $0 == targets[0] }) {
        throw UsageError(
          "fold \(number) of --folds \(folds.count) would train on equal labels only; give other "
            + "--folds, another --seed or more data")
      }
    }
  }
}

extension TaskFile {
  /// The training file as the examples that a cross-validation holds out, in its order.
  var heldOut: TaskFile {
    var split = split
    (split.name, split.role, split.submission) = ("out_of_fold", .development, nil)
    return TaskFile(split: split, path: path)
  }
}
