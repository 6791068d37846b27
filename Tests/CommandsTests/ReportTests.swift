import Electra
import Foundation
import FoundationXML
import TestSupport
import Testing

/// `report` on two short runs and a fine-tuning of the first.
@Suite(.serialized)
struct ReportTests {
  /// A folder with two runs of different learning rates, and a fine-tuning with two seeds.
  private static func folder() throws -> TemporaryFolder {
    let folder = try preparedData(documents: 400)
    let pretrain =
      ["pretrain"] + smallModel + [
        "--data", "data", "--batch", "16", "--steps", "60", "--warmup", "10", "--log-every", "5",
        "--evaluate-every", "20", "--evaluate-examples", "20",
      ]
    let rows = madeText(documents: 20).split(separator: "\n").map {
      "\($0)\t\($0.contains("ba") ? "yes" : "no")\n"
    }
    try folder.write("text\tlabel\n" + rows.joined(), "rows.tsv")
    for command in [
      pretrain + ["--output", "studies/first & one"],
      pretrain + [
        "--output", "studies/second", "--learning-rate", "1e-4", "--generator-width", "1",
      ],
      [
        "finetune", "own", "--train", "rows.tsv", "--dev", "rows.tsv", "--from",
        "studies/first & one", "--epochs", "1", "--seeds", "2", "--output", "studies/tuned",
      ],
    ] {
      let result = try Program.run(command, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
    }
    return folder
  }

  /// The text and the curves of a page; nil if it is not well-formed.
  private final class Page: NSObject, XMLParserDelegate {
    var text = ""
    var titles: [String] = []
    /// The names and values of the curves by the label of their chart.
    var curves: [String: [(name: String, values: [Double])]] = [:]
    private var chart = ""
    private var isTitle = false

    init?(_ html: String) throws {
      super.init()
      // Style and script are not XML.
      let body = html.replacingOccurrences(
        of: "<(style|script)>[^\u{0}]*?</(style|script)>", with: "", options: .regularExpression)
      let parser = XMLParser(data: Data(body.utf8))
      parser.delegate = self
      guard parser.parse() else { return nil }
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      isTitle = name == "h2"
      if name == "svg" { chart = attributes["aria-label"] ?? "" }
      if let curve = attributes["data-name"] {
        let values = (attributes["data-y"] ?? "").split(separator: " ").compactMap { Double($0) }
        curves[chart, default: []].append((curve, values))
      }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      text += string
      if isTitle { titles.append(string) }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      isTitle = false
      text += " "
    }
  }

  private func metric(
    _ name: String, of run: String, split: String?, _ folder: TemporaryFolder
  ) throws -> [Double] {
    try folder.metrics("studies/" + run).filter { $0["split"] as? String == split }
      .compactMap { $0[name] as? Double }
  }

  /// Every metric of the runs has a chart with the values of the file.
  private func expectCurves(_ page: Page, _ folder: TemporaryFolder) throws {
    for (name, label) in [
      ("loss", "Loss"), ("generator_loss", "Generator loss"), ("learning_rate", "Learning rate"),
      ("discriminator_recall", "Discriminator recall"), ("checkpoint_fraction", "Checkpoints"),
    ] {
      let curves = try #require(page.curves[label], "\(label)")
      for run in ["first & one", "second"] {
        let drawn = try #require(curves.first { $0.name == run + " " }, "\(label)").values
        let all = try metric(name, of: run, split: nil, folder)
        let wanted = Set(all.map { String(format: "%.4g", $0) })
        #expect(drawn.count > 1 && drawn.allSatisfy { wanted.contains(String(format: "%.4g", $0)) })
      }
    }
  }

  @Test
  func onePageHoldsAllCurvesAndTables() throws {
    let folder = try Self.folder()
    // Runs and fine-tunings inside the given folder are found.
    let result = try Program.run(
      ["report", "studies", "--output", "report.html"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "report.html: 2 runs, 1 fine-tuning\n")
    let html = try folder.text("report.html")
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(outside), "the page refers to \(outside)")
    }
    let page = try #require(try Page(html))
    #expect(
      page.titles == [
        "Runs", "Health", "Learning", "Steps", "Speed and waiting", "Held-out text", "Fine-tuning",
        "Classes of own (tuned, the best seed)", "Where the runs differ",
      ])
    try expectCurves(page, folder)
    let heldOut = page.curves["Generator loss"]?.first { $0.name == "second held-out " }
    #expect(heldOut.map { $0.values.count } == 3)
    let last = try #require(
      try metric("generator_loss", of: "second", split: "held_out", folder).last)
    #expect(page.text.contains(String(format: "%.4g", last)))
    #expect(page.text.contains("after step 60"))
    // Health, settings, and the run that the fine-tuning started from.
    #expect(page.text.contains("more than half of the discriminator"))
    #expect(page.text.contains("first & one: no warnings."))
    #expect(page.text.contains("learning_rate") && !page.text.contains("num_train_steps"))
    #expect(page.text.contains("first & one, step 60") && page.text.contains("dev accuracy"))
  }

  @Test
  func whatIsNoRunOrIsThereAlreadyIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "report.html")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/empty", withIntermediateDirectories: false)
    for (arguments, status, sentence) in [
      (["empty", "--output", "new.html"], 64, "empty contains no run of pretrain"),
      (["missing", "--output", "new.html"], 66, "cannot read missing: there is no such folder"),
      (["empty", "--output", "report.html"], 73, "report.html exists"),
    ] as [([String], Int32, String)] {
      let result = try Program.run(["report"] + arguments, in: folder.path)
      #expect(result.status == status && result.errors.contains(sentence), "\(result.errors)")
    }
  }
}
