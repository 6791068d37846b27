import Finetuning
import Foundation
import Platform
import Reports
import TestSupport
import Testing

/// Studies of result files in the format of `electra finetune`.
struct StudyTests {
  private func study() throws -> Study {
    let folder = try folder()
    return try withExtendedLifetime(folder) { try Study(path: folder.file("study.tsv")) }
  }

  /// Two questions: one with a complete system and one that lacks a task, the other without
  /// results.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    func tune(_ system: String, _ task: String, _ metric: String, _ values: [String]) throws {
      let seeds = values.enumerated().map {
        #"{"seed":\#($0 + 1),"epoch":1,"step":3,"values":[\#($1)]}"#
      }
      try folder.write(
        #"{"task":"\#(task)","head":"transformers","measures":[{"split":"dev","#
          + #""metric":"\#(metric)"}],"seeds":[\#(seeds.joined(separator: ","))]}"#,
        "\(system)/\(task)/results.json")
    }
    try tune("a", "cola", "matthews", ["0.50", "0.54", "0.58"])
    try tune("a", "stsb", "spearman", ["0.70", "0.70"])
    try tune("b", "cola", "matthews", ["null", "0.25"])
    try folder.write(
      """
      parts, all\tELECTRA <1>\t85.0\t1\t\(folder.file("a"))
      parts, all\tBERT\t\t2\t\(folder.file("b"))
      size\tnone\t-\t-\t\(folder.file("c"))

      """, "study.tsv")
    return folder
  }

  @Test
  func aMeanIsOverTheSeedsThatAllTasksHave() throws {
    let study = try study()
    #expect(study.questions == ["parts, all", "size"])
    #expect(study.tasks.map(\.task.name) == ["cola", "stsb"])
    let systems = study.systems(of: "parts, all")
    #expect(study.means(systems[0]).values == [60, 62])
    #expect(study.means(systems[1]).values == [])
    // An undefined correlation counts as 0.
    #expect(systems[1].sample(study.tasks[0].task).values == [0, 25])
    #expect(systems[0].paperRank == 1 && systems[0].training == nil)
  }

  @Test
  func tablesHaveARowForEachSystem() throws {
    let report = StudyReport(study: try study())
    #expect(report.text.contains("### parts, all\n"))
    #expect(
      report.text.contains(
        "| ELECTRA <1> | 85.0 | 61.0 ± 1.4 | 54.0 ± 4.0 | 70.0 ± 0.0 | - | - | - |"))
    #expect(report.text.contains("| none | - | - | - | - | - | - | - |"))
    // A single system has no order.
    #expect(!report.text.contains("the paper's order"))
    let lines = report.csv.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(
      lines[1]
        == "\"parts, all\",ELECTRA <1>,85.0,1,,,,2,61.0000,1.4142,54.0000,4.0000,70.0000,0.0000")
    #expect(lines[3] == "size,none,-,,,,,0,,,,,,")
  }

  @Test
  func thePictureHasEverySeedAndNamesWhatIsMissing() throws {
    let svg = StudyPicture(try study()).svg
    let page = try #require(Elements(svg))
    // Two seeds and their mean.
    #expect(page.counts["circle"] == 3)
    #expect(page.text.contains("ELECTRA <1>") && page.text.contains("mean of CoLA, STS-B"))
    #expect(page.text.components(separatedBy: "no results").count == 3)
  }

  @Test
  func samplesHaveTheDeviationOfASample() {
    #expect(
      Sample([]).mean == nil && Sample([]).standardDeviation == 0
        && Sample([7]).standardDeviation == 0)
    #expect(Sample([60, 62]).standardDeviation == 2.0.squareRoot())
  }

  @Test(arguments: [
    ("", 1), ("q\ta\tx\t1\ta\nq\tb\tx\tfirst\tb\n", 2), ("q\ta\tx\t1\n", 1),
  ])
  func aLineThatIsNoSystemIsNamed(text: String, line: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, "study.tsv")
    #expect {
      _ = try Study(path: path)
    } throws: {
      "\($0)".hasPrefix("line \(line) of \(path) is not a system")
    }
    #expect(throws: FileError.self) { _ = try Study(path: folder.file("none")) }
  }
}
