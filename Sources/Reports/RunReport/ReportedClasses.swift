import Finetuning
import Foundation
import Platform

/// The scores of the classes of a fine-tuning, for one split.
struct ReportedClasses {
  private let scores: ClassScores

  init(_ scores: ClassScores) { self.scores = scores }

  /// The most classes whose confusion matrix is shown; a larger one is in `results.json` only.
  private static let matrixLimit = 30

  /// One row per class: precision, recall and F1 in percent, and the number of gold items.
  var table: ReportTable {
    func percent(_ value: Double) -> ReportTable.Cell { .init(String(format: "%.2f", 100 * value)) }
    return ReportTable(
      head: [
        .init("\(scores.split.replacingOccurrences(of: "_", with: " ")): class"), "precision",
        "recall", "F1", "support",
      ],
      rows: scores.classes.map { entry in
        let counts = entry.counts
        return [
          .init(entry.name), percent(counts.precision), percent(counts.recall), percent(counts.f1),
          .init(counts.support.grouped),
        ]
      })
  }

  /// The confusion matrix: a row per gold class, a column per predicted class.
  ///
  /// Nil for entities and several labels, which have none, and for more than 30 classes.
  var matrix: ReportTable? {
    guard let confusion = scores.confusion, scores.classes.count <= Self.matrixLimit else {
      return nil
    }
    let names = scores.classes.map(\.name)
    return ReportTable(
      head: ["gold class"] + names.map { .init($0, note: "predicted") },
      rows: names.map { gold in
        [.init(gold)]
          + names.map { predicted in
            let count = confusion[gold]?[predicted] ?? 0
            return .init(count == 0 ? "-" : count.grouped, isBest: gold == predicted)
          }
      })
  }
}

extension ReportTables {
  /// For each fine-tuning with classes its heading, then per split a table of the classes and the
  /// confusion matrix.
  var classes: [(title: String, tables: [ReportTable])] {
    sortedFinetunings.compactMap { finetuning in
      let tables = finetuning.results.classes.map(ReportedClasses.init)
        .flatMap { [$0.table, $0.matrix].compactMap(\.self) }
      let source = finetuning.results.isCrossValidation ? "all folds" : "the best seed"
      return tables.isEmpty
        ? nil : ("Classes of \(finetuning.title) (\(finetuning.name), \(source))", tables)
    }
  }
}
