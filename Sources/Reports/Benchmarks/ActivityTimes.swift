import Foundation
import Layers
import Tensors
import Training

/// Where the time of a step goes: milliseconds of a lane of rank zero, by activity. As JSON an object of
/// these.
struct ActivityTimes: Encodable {
  private let milliseconds: [String: Double]

  /// What kernels say of a step, and what is left of it: exchange, waiting and the rest.
  init<O: TrainingObjective>(
    _ entries: [Activity: Profile.Entry], _ step: Trainer<O>.StepReport, lanes: Int
  ) {
    var result: [String: Double] = [:]
    for (activity, entry) in entries {
      result[activity.name, default: 0] += 1000 * entry.seconds / Double(lanes)
    }
    let known = result.values.reduce(0, +)
    result["input"] = 1000 * step.inputSeconds
    result["exchange, waiting and the rest"] = max(
      0, 1000 * (step.seconds - step.inputSeconds) - known)
    milliseconds = result
  }

  func encode(to encoder: any Encoder) throws { try milliseconds.encode(to: encoder) }

  /// For the screen, the longest first.
  var lines: String {
    let total = milliseconds.values.reduce(0, +)
    return milliseconds.sorted { $0.value > $1.value }.map { name, value in
      String(format: "  %9.1f ms %5.1f %%  ", value, 100 * value / total) + name
    }.joined(separator: "\n")
  }
}

extension Activity {
  /// Its name in tables; products by (rows, inner) x (inner, columns).
  fileprivate var name: String {
    switch self {
    case .product(let rows, let columns, let inner):
      "product \(rows) x \(inner) x \(columns)"
    case .attentionProducts: "products of attention"
    case .softmax: "softmax of attention"
    case .normalization: "normalisation, with bias, dropout and residual"
    case .gelu: "GELU"
    case .dropout: "dropout of attention and embeddings"
    case .vocabularySoftmax: "softmax over the vocabulary, sampling"
    case .rows: "look-ups and sums over rows"
    case .merging: "zeroing and merging gradients"
    case .optimizer: "norm and update"
    }
  }
}
