import Foundation
import TestSupport
import Testing

/// The options of the paper's studies: invalid combinations and costs.
struct TaskOptionsTests {
  private func flops(_ options: String) throws -> Program.Result {
    let folder = try TemporaryFolder()
    return try Program.run(
      ["flops", "--preset", "tiny", "--objective", "electra", "--tokens-per-second", "1", "--json"]
        + options.split(separator: " ").map(String.init), in: folder.path)
  }

  /// Invalid combinations, each with a part of its message.
  @Test(arguments: [
    ("--objective mlm --weight-sharing none", "the objective mlm has no generator"),
    ("--objective mlm --generator unigram", "reads no samples"),
    ("--generator unigram --weight-sharing disentangled", "a unigram generator has no network"),
    ("--objective mlm --disallow-correct", "reads no samples"),
    ("--generator unigram --temperature 2", "a unigram generator has no network"),
    ("--generator uniform --training two-stage", "a uniform generator has no network"),
    ("--temperature 0", "--temperature 0.0 is not a finite number above 0"),
    ("--discriminator-weight=-1", "--discriminator-weight -1.0 is not a finite number"),
    ("--mask-fraction 0.5", "--mask-fraction 0.5 is not between 0 and 0.5"),
    ("--generator-width 0", "--generator-width must be above 0"),
    ("--objective mlm --generator-width 0.25", "so --generator-width has no effect"),
    ("--generator unigram --generator-depth 0.5", "so --generator-depth has no effect"),
    ("--objective mlm-rtd --generator-width 0.25", "no effect; give --objective electra too"),
    ("--objective mlm-rtd --training two-stage", "--training two-stage has no effect; give"),
    ("--generator-width 0.5 --weight-sharing all", "of equal size"),
    ("--generator-depth 0.4 --training two-stage", "or use two-stage-fresh"),
    ("--training two-stage --weight-sharing embeddings", "needs --weight-sharing none"),
    ("--training adversarial --objective replace-mlm", "needs a discriminator"),
    ("--training adversarial --temperature 2", "excludes --temperature"),
    ("--whole-words --mask-with-replacement", "excludes --mask-with-replacement"),
    ("--discriminator-ramp=-0.5:0.5", "--discriminator-ramp"),
    ("--objective bert", "--objective"), ("--optimizer lion", "--optimizer"),
    ("--muon-rate 2", "give --optimizer muon too"),
    ("--optimizer muon --muon-rate=-1", "--muon-rate -1.0 is not a finite number of at least 0"),
    ("--learning-rate nan", "--learning-rate nan is not"),
    ("--batch 100000000000000000", "--batch 100000000000000000 is above"),
    ("--steps 1000000000000000 --batch 1000000", "tokens, above the limit of 1e18"),
    ("--vocabulary-size 999999999", "vocab_size is 999999999"),
    ("--vocabulary-size 100000000000000000", "--vocabulary-size must be between 1 and"),
    ("--tokens-per-second 1e19", "--tokens-per-second must be above 0 and at most 1e15"),
  ])
  func whatMeansNothingIsRefused(options: String, says: String) throws {
    let result = try flops(options)
    #expect(result.status == 64 && result.errors.contains(says), "\(result.errors)")
  }

  private struct Figures: Decodable {
    let productOperations: Double
    let referenceOperations: Double
    let stepsOfEqualProducts: Int?
    let stepsOfEqualReference: Int?
  }

  /// Without a size there is a line per size, each compared with ELECTRA of that size.
  @Test
  func everySizeIsComparedWithItself() throws {
    let folder = try TemporaryFolder()
    func figures(_ options: [String]) throws -> [Figures] {
      let result = try Program.run(
        ["flops", "--tokens-per-second", "1", "--json"] + options, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try result.output.split(separator: "\n").map {
        try decoder.decode(Figures.self, from: Data($0.utf8))
      }
    }
    #expect(
      try figures([]).map { $0.stepsOfEqualProducts == nil } == [false, true, true, true, true])
    #expect(try figures(["--objective", "electra"]).allSatisfy { $0.stepsOfEqualProducts == nil })
    let all = try figures(["--objective", "mlm"])
    #expect(all.count == 5)
    let base = try figures(["--objective", "mlm", "--preset", "base"])
    #expect(all[3].stepsOfEqualProducts == base[0].stepsOfEqualProducts)
  }

  /// ELECTRA's run has other steps in `tiny` than the preset's own objective.
  @Test
  func theSentenceOnEqualCostHasTheStepsOfElectra() throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(
      ["flops", "--preset", "tiny", "--tokens-per-second", "1"], in: folder.path)
    #expect(result.output.contains("5,000 steps of electra cost as much as"), "\(result.output)")
  }

  /// A run with the printed number of steps has the printed cost.
  @Test(arguments: [
    "--objective mlm", "--objective all-tokens-mlm", "--generator unigram",
    "--generator-width 0.25", "--weight-sharing all", "--training two-stage", "--optimizer muon",
  ])
  func stepsOfEqualCostAreThoseToAskFor(options: String) throws {
    func figures(_ options: String) throws -> Figures {
      let result = try flops(options)
      #expect(result.status == 0, "\(result.errors)")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(Figures.self, from: Data(result.output.utf8))
    }
    let electra = try figures("")
    #expect(electra.stepsOfEqualProducts == nil)
    let other = try figures(options)
    let products = try #require(other.stepsOfEqualProducts)
    let reference = try #require(other.stepsOfEqualReference)
    let equal = try figures("\(options) --steps \(products)")
    #expect(abs(equal.productOperations / electra.productOperations - 1) < 1e-3)
    let counted = try figures("\(options) --steps \(reference)")
    #expect(abs(counted.referenceOperations / electra.referenceOperations - 1) < 1e-3)
  }
}
