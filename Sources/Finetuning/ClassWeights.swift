/// The weight of each class in the loss (`--class-weights`), for classes of unequal frequency.
///
/// The loss of a batch is the weighted mean of its cross-entropies, as in PyTorch's
/// `CrossEntropyLoss(weight)`: the sum of weight times loss, divided by the sum of the weights.
package enum ClassWeights {
  /// The weights from which a user may choose; far outside of any use.
  private static let range = 1e-6...1e6

  /// Reads the weights that a user gives.
  ///
  /// - Parameters:
  ///   - words: `balanced` alone, or weights such as `spam=4`; classes that are not named weigh 1.
  ///   - labels: the classes.
  ///   - targets: the training data, for `balanced`: n / (C n_c) for a class with n_c of n
  ///     examples or words and C classes, as in scikit-learn; 1 for a class that does not occur.
  /// - Returns: the weight of each of `labels`, in their order.
  /// - Throws: `classWeight`, which names the word.
  package static func weights(
    _ words: [String], labels: LabelSet, targets: [Target]
  ) throws(FinetuningError) -> [Double] {
    if words.contains("balanced") {
      guard words.count == 1 else {
        throw .classWeight(
          "balanced", reason: "it stands alone, without weights of single classes")
      }
      return balanced(count: labels.count, targets)
    }
    var weights = [Double](repeating: 1, count: labels.count)
    var named: Set<Int> = []
    for word in words {
      guard let sign = word.lastIndex(of: "=") else {
        throw .classWeight(word, reason: "it is neither balanced nor CLASS=WEIGHT")
      }
      let name = String(word[..<sign])
      guard let index = labels.index(of: name) else {
        let known = labels.names.prefix(10).joined(separator: ", ")
        throw .classWeight(word, reason: "there is no class \(name); the classes are \(known)")
      }
      guard let weight = Double(word[word.index(after: sign)...]), range.contains(weight) else {
        throw .classWeight(word, reason: "a weight is a number between 0.000001 and 1000000")
      }
      if !named.insert(index).inserted {
        throw .classWeight(word, reason: "the class has another weight already")
      }
      weights[index] = weight
    }
    return weights
  }

  /// The words of a user in one spelling, for the comparison with an earlier start.
  ///
  /// They are sorted, and `spam=4` becomes `spam=4.0`; words that are not valid stay as they are.
  package static func normalized(_ words: [String]) -> [String] {
    let spelled = words.map { word -> String in
      guard let sign = word.lastIndex(of: "="),
        let weight = Double(word[word.index(after: sign)...]), range.contains(weight)
      else { return word }
      return "\(word[...sign])\(weight)"
    }
    return spelled.sorted()
  }

  private static func balanced(count: Int, _ targets: [Target]) -> [Double] {
    var counts = [Int](repeating: 0, count: count)
    for target in targets { target.forEachClass { counts[$0] += 1 } }
    let total = Double(counts.reduce(0, +))
    return counts.map { $0 == 0 ? 1 : total / (Double(count) * Double($0)) }
  }
}

extension Target {
  /// Calls `body` with the class of each loss of a sequence with a label or tags.
  func forEachClass(_ body: (Int) -> Void) {
    switch self {
    case .label(let label): body(label)
    case .tags(let tags): for tag in tags where tag >= 0 { body(Int(tag)) }
    case .none, .labels, .score, .span: break
    }
  }
}
