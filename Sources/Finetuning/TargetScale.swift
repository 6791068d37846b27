import Layers
import Tensors

/// Standardises the targets of a regression: mean and standard deviation of the training scores.
///
/// A network trains well on targets between about -1 and 1. With the usual learning rates its
/// outputs never reach a target of 1990, and do not separate targets that differ by 0.001. So
/// training uses z = (score - mean) / standardDeviation. A written model outputs scores, because
/// the scale is merged into its last layer:
///
///     score = mean + s (W x + b) = (s W) x + (s b + mean),  s the standard deviation
package struct TargetScale: Sendable, Equatable, Codable {
  package let mean: Double
  package let standardDeviation: Double

  private enum CodingKeys: String, CodingKey {
    case mean
    case standardDeviation = "standard_deviation"
  }

  /// The scale of training examples; nil if the task is not a regression or defines a `scoreScale`.
  ///
  /// The training scores must not all be equal, which `ExampleReader` ensures.
  package init?(_ train: ExampleSet) {
    guard train.task.problem == .regression, train.task.scoreScale == 1 else { return nil }
    let scores = train.examples.compactMap { example -> Double? in
      if case .score(let score) = example.target { Double(score) } else { nil }
    }
    let mean = scores.mean
    let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardDeviation = (squares / Double(scores.count)).squareRoot()
  }

  /// The target to train on; a target that is not a score is returned unchanged.
  package func scaled(_ target: Target) -> Target {
    guard case .score(let score) = target else { return target }
    return .score(Float((Double(score) - mean) / standardDeviation))
  }

  /// The score of a standardised output: the inverse of `scaled`.
  package func score(_ output: Float) -> Float {
    Float(mean + standardDeviation * Double(output))
  }
}

extension TaskModel {
  /// Calls `body` while the last layer in `weights` outputs scores instead of standardised scores.
  ///
  /// Restores the layer's exact weights afterwards, also if `body` throws. Only for a regression.
  package func withScores(
    of scale: TargetScale, in weights: Storage, _ body: () throws -> Void
  ) rethrows {
    guard let scoreLayer else { preconditionFailure("only a regression's head outputs scores") }
    let (weight, bias) = (weights[scoreLayer.weight], weights[scoreLayer.bias])
    let (oldWeight, oldBias) = (weight.floats, bias.floats)
    for (index, value) in oldWeight.enumerated() {
      weight[0, index] = Float(scale.standardDeviation * Double(value))
    }
    bias[0, 0] = scale.score(oldBias[0])
    defer {
      for (index, value) in oldWeight.enumerated() { weight[0, index] = value }
      bias[0, 0] = oldBias[0]
    }
    try body()
  }
}
