import Tensors

/// Metrics of classification, equal to scikit-learn's.
///
/// `gold` and `predicted` are indices of labels, one for each example.
package enum LabelScores {
  /// The fraction of correct predictions; 0 without examples.
  package static func accuracy<Label: Equatable>(_ gold: [Label], _ predicted: [Label]) -> Double {
    precondition(gold.count == predicted.count, "a prediction for each example")
    return fraction(zip(gold, predicted).count { $0 == $1 }, of: gold.count)
  }

  /// Matthews' correlation coefficient, for any number of labels (Gorodkin 2004).
  ///
  /// 0 if it is undefined: all gold labels, or all predictions, are the same.
  package static func matthews(_ gold: [Int], _ predicted: [Int]) -> Double {
    precondition(gold.count == predicted.count, "a prediction for each example")
    let size = (gold + predicted).reduce(0, max) + 1
    let count = Double(gold.count)
    let correct = Double(zip(gold, predicted).count { $0 == $1 })
    let truths = histogram(gold, size)
    let predictions = histogram(predicted, size)
    func dot(_ first: [Double], _ second: [Double]) -> Double {
      zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let covariance = correct * count - dot(truths, predictions)
    let truthVariance = count * count - dot(truths, truths)
    let predictionVariance = count * count - dot(predictions, predictions)
    let scale = (truthVariance * predictionVariance).squareRoot()
    return scale == 0 ? 0 : covariance / scale
  }

  private static func histogram(_ labels: [Int], _ size: Int) -> [Double] {
    var counts = [Double](repeating: 0, count: size)
    for label in labels { counts[label] += 1 }
    return counts
  }

  /// The F1 score of one label against the rest; 0 if no example has it and none is predicted.
  package static func f1(_ gold: [Int], _ predicted: [Int], of label: Int = 1) -> Double {
    precondition(gold.count == predicted.count, "a prediction for each example")
    let both = zip(gold, predicted).count { $0 == label && $1 == label }
    let either = gold.count { $0 == label } + predicted.count { $0 == label }
    return fraction(2 * both, of: either)
  }

  /// The mean F1 score over the labels that occur as gold label or prediction; 0 without examples.
  package static func macroF1(_ gold: [Int], _ predicted: [Int]) -> Double {
    Set(gold).union(predicted).sorted().map { f1(gold, predicted, of: $0) }.mean
  }

  /// The F1 score of all decisions on all labels together.
  ///
  /// `gold` and `predicted` are the indices of each example's labels, without duplicates.
  package static func microF1(_ gold: [[Int]], _ predicted: [[Int]]) -> Double {
    precondition(gold.count == predicted.count, "a prediction for each example")
    let both = zip(gold, predicted).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
    return fraction(2 * both, of: (gold + predicted).reduce(0) { $0 + $1.count })
  }

  /// The mean over `count` labels of each label's F1 score; 0 for a label that does not occur.
  package static func macroF1(_ gold: [[Int]], _ predicted: [[Int]], labels count: Int) -> Double {
    (0..<count).map { label in
      f1(gold.map { $0.contains(label) ? 1 : 0 }, predicted.map { $0.contains(label) ? 1 : 0 })
    }.mean
  }

  /// `part` / `whole`; 0 if `whole` is 0.
  static func fraction(_ part: Int, of whole: Int) -> Double {
    whole == 0 ? 0 : Double(part) / Double(whole)
  }
}
