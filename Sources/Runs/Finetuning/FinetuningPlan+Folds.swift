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

  /// Throws `UsageError` if a fold trains on nothing, or on equal labels or scores only.
  func expectTrainableFolds() throws {
    guard let folds else { return }
    let items = train.items
    for fold in 0..<folds.count {
      let trained = train.examples.indices.lazy.filter { folds.assignment[items[$0]] != fold }
      let name = "fold \(fold + 1) of --folds \(folds.count)"
      let advice = "give other --folds, another --seed or more data"
      guard let first = trained.first else {
        throw UsageError("\(name) would train on no examples; \(advice)")
      }
      let target = train.examples[first].target
      if trained.allSatisfy({ train.examples[$0].target == target }) {
        throw UsageError("\(name) would train on equal labels only; \(advice)")
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
