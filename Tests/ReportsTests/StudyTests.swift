import Foundation
import Platform
import Reports
import TestSupport
import Testing

/// Studies in the format of the programs in Launch/studies.
struct StudyTests {
  private func study(_ text: String = complete) throws -> Study {
    let folder = try TemporaryFolder()
    return try Study(path: folder.write(text, "study.json"))
  }

  /// Two questions: one with a complete system and one that lacks a score, the other without
  /// results.
  private static let complete = """
    {"study": "s", "seeds": "fine-tuning", "scores": ["CoLA matthews", "STS-B spearman"],
    "systems": [
    {"key": "a", "question": "parts, all", "name": "ELECTRA <1>", "paper": "85.0", "rank": 1},
    {"key": "b", "question": "parts, all", "name": "BERT", "paper": "", "rank": 2},
    {"key": "c", "question": "size", "name": "none", "paper": "-", "rank": null}],
    "runs": [
    {"system": "a", "seed": 2, "scores": {"CoLA matthews": 54, "STS-B spearman": 70}},
    {"system": "a", "seed": 1, "scores": {"CoLA matthews": 50, "STS-B spearman": 70}},
    {"system": "a", "seed": 3, "scores": {"CoLA matthews": 58}},
    {"system": "b", "seed": 1, "scores": {"CoLA matthews": 0}},
    {"system": "b", "seed": 2, "scores": {"CoLA matthews": 25}}]}
    """

  /// A study with decisive scores of system a and its reference b; `rule` has more keys of their
  /// comparison, and `run` another run.
  private func difference(
    _ first: [Double], _ second: [Double], rule: String = #", "margin": 0.7"#, run: String? = nil
  ) throws -> StudyReport {
    let runs = [("a", first), ("b", second)].flatMap { system, values in
      values.enumerated().map {
        #"{"system": "\#(system)", "seed": \#($0), "core_seconds": 5400, "steps": 6350, "#
          + #""operations": 5.5e13, "scores": {"F1": \#($1), "other": 3}, "#
          + #""measures": {"AUC": 0.5}}"#
      }
    }
    return StudyReport(
      study: try study(
        """
        {"study": "s", "seeds": "pre-training", "scores": ["F1", "other"], "decisive": ["F1"],
        "comparisons": [{"system": "A", "against": "B"\(rule)}],
        "systems": [{"key": "a", "question": "q", "name": "A", "budget": 5e6},
        {"key": "b", "question": "q", "name": "B", "budget": 5e7}],
        "runs": [\((runs + [run].compactMap(\.self)).joined(separator: ","))]}
        """))
  }

  @Test
  func aMeanIsOverTheSeedsThatHaveAllScores() throws {
    let study = try study()
    #expect(study.questions == ["parts, all", "size"])
    let systems = study.systems(of: "parts, all")
    #expect(study.means(systems[0]).values == [60, 62])
    #expect(study.means(systems[1]).values == [])
    #expect(study.sample(systems[1], "CoLA matthews").values == [0, 25])
    #expect(systems[0].rank == 1)
  }

  @Test
  func tablesHaveARowForEachSystem() throws {
    let report = StudyReport(study: try study())
    #expect(report.text.contains("### parts, all\n"))
    #expect(
      report.text.contains(
        "| ELECTRA <1> | 85.0 | 61.0 ± 1.4 | 54.0 ± 4.0 | 70.0 ± 0.0 | - | - | - |"))
    #expect(report.text.contains("| none | - | - | - | - | - | - | - |"))
    #expect(report.text.hasSuffix("over fine-tuning seeds; each system is pre-trained once."))
    // A single system has no order, and nothing is compared that the file does not name.
    #expect(!report.text.contains("the paper's order") && !report.text.contains("interval"))
    let lines = report.csv.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(
      lines[1]
        == "\"parts, all\",ELECTRA <1>,85.0,1,,,,2,61.0000,1.4142,54.0000,4.0000,70.0000,0.0000")
    #expect(lines[3] == "size,none,-,,,,,0,,,,,,")
  }

  /// Welch's interval of 1, 2, 3 and 4, 6, 8, 10: scipy.stats.ttest_ind(equal_var=False).
  @Test
  func differencesHaveTheIntervalOfWelch() throws {
    let report = try difference([1, 2, 3], [4, 6, 8, 10])
    #expect(
      report.text.contains("| A | B | -5.00 | -8.90 to -1.10 | below |"), "\(report.text)")
    let row = "| A | 2.0 ± 1.0 | 2.0 ± 1.0 | 3.0 ± 0.0 | 0.500 ± 0.000 | 6,350 | 5.50e+13 | 1.50 |"
    #expect(report.text.contains(row))
  }

  @Test(arguments: [
    ([80, 80.2, 80.4], [79, 79.2, 79.4], "success"),
    ([80, 80.2, 80.4], [79.5, 79.6], "not shown"), ([80, 82], [79, 81], "not shown"),
    ([80], [79, 81], "- | -"), ([80, 80], [79, 79], "- | -"),
  ])
  func aSuccessIsAtLeastTheMarginAndAboveZero(
    first: [Double], second: [Double], result: String
  ) throws {
    let text = try difference(first, second).text
    #expect(text.contains("| \(result) |\n"), "\(text)")
  }

  @Test(arguments: [
    ("", 80.0, "above"), ("", 79.0, "no difference shown"),
    (#", "margin": 0.7, "also_above": "B""#, 80, "success"),
    (#", "margin": 0.7, "also_above": "missing""#, 80, "not shown"),
  ])
  func aComparisonHasRulesOfItsOwn(rule: String, score: Double, result: String) throws {
    let text = try difference([score, score + 0.2], [79, 79.2], rule: rule).text
    #expect(text.contains("| \(result) |\n"), "\(text)")
  }

  @Test(arguments: ["a", "b"])
  func aComparisonWithADivergedRunIsNoSuccess(system: String) throws {
    let run = #"{"system": "\#(system)", "seed": 9, "scores": {}, "failed": "not finite"}"#
    let text = try difference([80, 80.2, 80.4], [79, 79.2, 79.4], run: run).text
    let name = system.uppercased()
    #expect(text.contains("\nDiverged, and not in the means: \(name) (seed 9).\n"), "\(text)")
    #expect(text.contains("| +1.00 | +0.55 to +1.45 | diverged |"), "\(text)")
  }

  /// The first run diverged and has no operations.
  @Test
  func theCostOfASystemIsThatOfAFinishedRun() throws {
    let report = StudyReport(
      study: try study(
        """
        {"study": "s", "seeds": "pre-training", "scores": ["F1"],
        "systems": [{"key": "a", "question": "q", "name": "A"}],
        "runs": [{"system": "a", "seed": 1, "steps": 7, "scores": {}, "failed": "not finite"},
        {"system": "a", "seed": 2, "steps": 7, "operations": 5e9, "scores": {"F1": 3}}]}
        """))
    #expect(report.text.contains("| A | 3.0 | 3.0 | 7 | 5.00e+09 | - |"), "\(report.text)")
    #expect(report.csv.contains("q,A,,,7,5e+09,,1,3.0000"), "\(report.csv)")
  }

  @Test(arguments: [
    (1, 12.706205), (2, 4.302653), (4, 2.776445), (5.5, 2.501859), (8, 2.306004), (30, 2.042272),
    (200, 1.971896),
  ])
  func quantilesAreThoseOfStudentsDistribution(degreesOfFreedom: Double, quantile: Double) {
    #expect(abs(studentQuantile(degreesOfFreedom: degreesOfFreedom) - quantile) < 1e-6)
  }

  @Test
  func thePictureHasEverySeedAndNamesWhatIsMissing() throws {
    let svg = StudyPicture(try study()).svg
    let page = try #require(Elements(svg))
    // Two seeds and their mean.
    #expect(page.counts["circle"] == 3)
    #expect(page.text.contains("ELECTRA <1>"))
    #expect(page.text.contains("mean of CoLA matthews, STS-B spearman"))
    #expect(page.text.components(separatedBy: "no results").count == 3)
  }

  @Test
  func systemsWithBudgetsAreCurves() throws {
    let page = try #require(
      Elements(StudyPicture(try difference([1, 2], [4, 6, 8]).study).svg))
    // A circle for each seed, each mean and each name.
    #expect(page.counts["circle"] == 5 + 2 + 2)
    #expect(page.text.contains("million tokens") && page.text.contains("mean of F1"))
  }

  @Test
  func samplesHaveTheDeviationOfASample() {
    #expect(
      Sample([]).mean == nil && Sample([]).standardDeviation == 0
        && Sample([7]).standardDeviation == 0)
    #expect(Sample([60, 62]).standardDeviation == 2.0.squareRoot())
  }

  @Test(arguments: [
    ("", "cannot use"), (#"{"scores": [], "seeds": ""}"#, "the key systems is missing"),
    (#"{"scores": [], "seeds": "", "systems": [], "runs": []}"#, "is a study without systems"),
    (
      complete.replacing(#""system": "b""#, with: #""system": "d""#),
      "names the system d, which is not in its list"
    ),
    (
      complete.replacing(#""system": "a", "seed": 3"#, with: #""system": "a", "seed": 1"#),
      "has two runs of a with the seed 1"
    ),
    (
      complete.replacing(#""scores": {"CoLA matthews": 0}"#, with: #""scores": {"F1": 0}"#),
      "names the score F1, which is not in its list"
    ),
    (
      complete.replacing(#""systems":"#, with: #""decisive": ["F1"], "systems":"#),
      "names the score F1, which is not in its list"
    ),
    (
      complete.replacing(#""CoLA matthews": 54"#, with: #""CoLA matthews": 1e20"#),
      "the score CoLA matthews of a with the seed 2 is above 1e9"
    ),
  ])
  func whatIsNoStudyIsNamed(text: String, reason: String) throws {
    #expect {
      _ = try study(text)
    } throws: {
      "\($0)".contains(reason)
    }
    #expect(throws: FileError.self) { _ = try Study(path: "/nowhere/study.json") }
  }
}
