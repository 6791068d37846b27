import Foundation
import Layers
import Tensors
import Training

/// The time of a step by activity, in milliseconds of one worker of rank 0.
///
/// Its JSON is an object of activities and milliseconds.
struct ActivityTimes: Encodable {
  private let milliseconds: [String: Double]

  /// The times of the kernels, averaged over `workers`, and the rest of the step.
  ///
  /// Kernels do not time the exchange between ranks and the waiting for other workers. Both are in
  /// the rest, which is never negative.
  init<O: TrainingObjective>(
    _ entries: [Activity: Profile.Entry], _ step: Trainer<O>.StepReport, workers: Int
  ) {
    var result: [String: Double] = [:]
    for (activity, entry) in entries {
      result[activity.name, default: 0] += 1000 * entry.seconds / Double(workers)
    }
    let known = result.values.reduce(0, +)
    result["input"] = 1000 * step.inputSeconds
    result["exchange, waiting and the rest"] = max(
      0, 1000 * (step.seconds - step.inputSeconds) - known)
    milliseconds = result
  }

  func encode(to encoder: any Encoder) throws { try milliseconds.encode(to: encoder) }

  /// One line per activity with its share of the step, longest first.
  var lines: String {
    let total = milliseconds.values.reduce(0, +)
    return milliseconds.sorted { $0.value > $1.value }.map { name, value in
      String(format: "  %9.1f ms %5.1f %%  ", value, 100 * value / total) + name
    }.joined(separator: "\n")
  }
}

extension Activity {
  /// The name in tables; a product has the shapes (rows, inner) x (inner, columns).
  fileprivate var name: String {
    switch self {
    case .product(let rows, let columns, let inner):
      "product \(rows) x \(inner) x \(columns)"
    case .attentionProducts: "products of attention"
    case .packing: "packing of weights"
    case .softmax: "softmax of attention"
    case .normalization: "normalisation, with bias, dropout and residual"
    case .gelu: "GELU"
    case .dropout: "dropout of attention and embeddings"
    case .vocabularySoftmax: "softmax over the vocabulary, sampling"
    case .rows: "look-ups and sums over rows"
    case .merging: "zeroing and merging gradients"
    case .optimizer: "norm and update"
    case .orthogonalization: "orthogonalisation of matrices (Muon)"
    }
  }
}
