import Foundation
import Layers
import Tensors

/// The mean and the standard deviation of a regression's training scores.
///
/// A network learns scores of about -1 to 1 well; years or fractions of a thousandth it never reaches or does not
/// tell apart. So it learns z = (score - mean) / standardDeviation, and a model that is written has the scale in its
/// last layer,
///
///     score = mean + standardDeviation (W x + b) = (standardDeviation W) x + (standardDeviation b + mean),
///
/// so that nobody who loads it needs to know.
package struct TargetScale: Sendable, Equatable, Codable {
  package let mean: Double
  package let standardDeviation: Double

  private enum CodingKeys: String, CodingKey {
    case mean
    case standardDeviation = "standard_deviation"
  }

  /// The scale of training examples; nil for a task without scores, or with a scale of its own.
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

  /// What is learnt in place of a target.
  package func scaled(_ target: Target) -> Target {
    guard case .score(let score) = target else { return target }
    return .score(Float((Double(score) - mean) / standardDeviation))
  }

  /// The score that an output means.
  package func score(_ output: Float) -> Float {
    Float(mean + standardDeviation * Double(output))
  }
}

extension TaskModel {
  /// Calls `body` while the last layer in `weights` gives scores where it has learnt to give scaled ones.
  package func withScores(
    of scale: TargetScale, in weights: Storage, _ body: () throws -> Void
  ) rethrows {
    guard let scoreLayer else { preconditionFailure("only a regression's head gives scores") }
    let (weight, bias) = (weights[scoreLayer.weight], weights[scoreLayer.bias])
    let (oldWeight, oldBias) = (weight.floats, bias.floats)
    for (place, value) in oldWeight.enumerated() {
      weight[0, place] = Float(scale.standardDeviation * Double(value))
    }
    bias[0, 0] = scale.score(oldBias[0])
    defer {
      for (place, value) in oldWeight.enumerated() { weight[0, place] = value }
      bias[0, 0] = oldBias[0]
    }
    try body()
  }
}
