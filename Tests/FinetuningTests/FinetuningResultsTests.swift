import Finetuning
import Foundation
import Platform
import Tensors
import Testing

struct FinetuningResultsTests {
  private typealias Result = FinetuningResults.SeedResult

  private func results(_ values: [[Double?]]) -> FinetuningResults {
    FinetuningResults(
      task: "rte", head: .transformers,
      measures: [
        .init(split: "dev", metric: .accuracy), .init(split: "dev", metric: .bestNullThreshold),
      ],
      seeds: values.enumerated().map {
        Result(seed: UInt64($0 + 1), epoch: 1, step: 9, values: $1)
      })
  }

  /// Fractions are in percent, a threshold is not; the standard deviation is a sample's.
  @Test
  func statisticsAreThoseOfTheSeeds() {
    let results = results([[0.5, 2], [0.75, 2], [0.5, 2], [0.25, 6]])
    let (values, median, mean, standardDeviation) = results.statistics(0)
    #expect(values == [50, 75, 50, 25] && median == 50 && mean == 50)
    #expect(abs(standardDeviation - (1250.0 / 3).squareRoot()) < 1e-12)
    #expect(results.statistics(1).median == 2 && results.statistics(1).mean == 3)
    let one = self.results([[0.25, 1]])
    #expect(one.statistics(0).standardDeviation == 0 && one.statistics(0).median == 25)
    #expect(self.results([[0.1, 0], [nil, 0]]).statistics(0).median.isNaN)
  }

  @Test
  func theTableHasALineForEachMeasureAndTheDigitsOfItsKind() {
    let lines = results([[0.5, 0.00125], [0.75, 0.00375]]).table.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1].hasPrefix("dev accuracy ") && lines[1].hasSuffix("62.50   17.68  50.00 75.00"))
    #expect(lines[2].hasSuffix("0.0025  0.0018  0.0013 0.0037"), "\(lines[2])")
  }

  @Test
  func theBestSeedIsTheFirstOfEqualsAndOneWithANumber() {
    #expect(results([[0.5, 0], [0.75, 0], [0.75, 0]]).best?.seed == 2)
    #expect(results([[nil, 0], [-1, 0]]).best?.seed == 2)
    #expect(results([[nil, 0], [nil, 0]]).best?.seed == 1)
    #expect(results([]).best == nil)
  }

  /// Of equal evaluations the earlier one is kept; of those with NaN the later one.
  @Test
  func anEvaluationIsBetterByItsFirstMeasureAlone() {
    func result(_ value: Double?, epoch: Int) -> Result {
      Result(seed: 1, epoch: epoch, step: 1, values: [value, 1])
    }
    #expect(result(0.6, epoch: 1).isBetter(than: result(0.5, epoch: 2)))
    #expect(!result(0.5, epoch: 2).isBetter(than: result(0.5, epoch: 1)))
    #expect(result(-1, epoch: 1).isBetter(than: result(nil, epoch: 2)))
    #expect(!result(nil, epoch: 2).isBetter(than: result(-1, epoch: 1)))
    #expect(result(nil, epoch: 2).isBetter(than: result(nil, epoch: 1)))
    #expect(!result(nil, epoch: 1).isBetter(than: result(nil, epoch: 2)))
  }

  /// Results of earlier versions have no arithmetic.
  @Test
  func theArithmeticIsRecorded() throws {
    let results = FinetuningResults(
      task: "rte", head: .transformers, arithmetic: .bfloat16, measures: [], seeds: [])
    let data = try JSONEncoder().encode(results)
    #expect(try JSONDecoder().decode(FinetuningResults.self, from: data) == results)
    var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object.removeValue(forKey: "arithmetic") as? String == "bfloat16")
    let older = try JSONSerialization.data(withJSONObject: object)
    #expect(
      try JSONDecoder().decode(FinetuningResults.self, from: older).arithmetic == .float32)
  }

  @Test
  func aSeedWithoutAValueForEachMeasureIsRefused() throws {
    let sound = results([[0.5, nil]])
    let data = try JSONEncoder().encode(sound)
    #expect(try JSONDecoder().decode(FinetuningResults.self, from: data) == sound)
    let text = String(decoding: data, as: UTF8.self)
      .replacingOccurrences(of: "[0.5,null]", with: "[0.5]")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(FinetuningResults.self, from: Data(text.utf8))
    }
  }

  /// Folds have names of their own in tables, folders and sentences; the best one is the model.
  @Test
  func foldsAreSummarizedLikeSeeds() throws {
    let folds = FinetuningResults(
      task: "own", head: .transformers, measures: [.init(split: "out_of_fold", metric: .accuracy)],
      seeds: [0.5, 0.75].enumerated().map {
        Result(seed: 1, fold: $0.offset + 1, epoch: 3, step: 9, values: [$0.element])
      })
    #expect(folds.isCrossValidation && folds.best?.folder == "fold-2")
    #expect(folds.table.contains("by fold"))
    #expect(
      folds.foldLines
        == ["out_of_fold_accuracy: mean 62.50, standard deviation 17.68 over 2 folds"])
    let data = try JSONEncoder().encode(folds)
    #expect(try JSONDecoder().decode(FinetuningResults.self, from: data) == folds)
    let summary = try folds.summary().json()
    #expect(summary.contains("\"best_fold\":2") && !summary.contains("best_seed"), "\(summary)")
  }
}
