import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Reports
import TestSupport
import Testing

/// Pages of folders that the test writes.
struct ReportPageTests {
  private static let names = ["loss", "generator_loss", "discriminator_auc", "unheard_of"]

  /// Writes a run of 30 steps whose loss begins at `loss` and falls linearly.
  private func writeRun(
    _ folder: TemporaryFolder, _ name: String, loss: Double, rate: Double = 1e-3
  ) throws {
    var configuration = Preset.tiny.configuration(vocabularySize: 300)
    configuration.recipe.learningRate = rate
    configuration.recipe.steps = 30
    try folder.write(configuration.jsonDocument(), name + "/config.json")
    func line(_ step: Int, _ split: String, _ value: Double) -> String {
      let values = Self.names.map { #""\#($0)":\#(value)"# }.joined(separator: ",")
      return #"{"step":\#(step),\#(split)"tokens":\#(step * 1000),"seconds":60,\#(values)}"# + "\n"
    }
    var text = (1...30).map { line($0, "", loss - 0.1 * Double($0)) }.joined()
    text += line(30, #""split":"held_out","#, loss - 2)
    text +=
      #"{"step":20,"split":"health","verdict":"loss-spike","severity":"note","sentence":"a <jump>"}"#
    try folder.write(text, name + "/metrics.jsonl")
  }

  private func page(_ folder: TemporaryFolder) throws -> (html: String, text: String) {
    let html = ReportPage(try ReportSubjects([folder.path])).html
    let body = html.replacingOccurrences(
      of: "<(style|script)>[^\u{0}]*?</(style|script)>", with: "", options: .regularExpression)
    return (html, try #require(Elements(body)).text)
  }

  @Test
  func aRunHasItsFactsFiguresAndWarnings() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder, "first & one", loss: 10)
    let (html, text) = try page(folder)
    #expect(html.contains("<title>electra: first &amp; one</title>"))
    for part in [
      "preset tiny", "learning_rate", "time in steps", "step 20: loss spike", "a <jump>",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    // Every metric, with or without a description, has a figure with a training curve.
    for label in ["Loss", "Generator loss", "Discriminator AUC", "unheard of"] {
      #expect(html.contains("aria-label=\"\(label)\""), "\(label)")
    }
    #expect(html.components(separatedBy: "data-name=\"first &amp; one \"").count == 5)
    #expect(html.contains("data-y=\"9.9 9.8 "))
    // The page is self-contained: it includes its style and its script.
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(outside), "\(outside)")
    }
    #expect(html.contains("<style>\n:root {") && html.contains("\n}\n</script>"))
  }

  /// Files that were edited or damaged: numbers of metrics are bounded, sizes are refused by name.
  @Test
  func valuesOutOfRangeAreBoundedOrRefused() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder, "run", loss: 10)
    try folder.write(
      #"{"step":1,"tokens":9,"seconds":1e300,"tokens_per_second":1e300,"loss":3,"time":-1e300}"#,
      "run/metrics.jsonl")
    #expect(try page(folder).text.contains("1,000,000,000,000,000"))
    #expect(try RunList([folder.path], time: 0).lines.count == 2)
    var configuration = Preset.tiny.configuration(vocabularySize: 300)
    configuration.model.discriminator.layerCount = -1
    try folder.write(configuration.jsonDocument(), "run/config.json")
    #expect(throws: TextError.self) { try page(folder) }
  }

  /// Adam is the absence of a key, and the preset `tiny` has Muon for this objective.
  @Test
  func aSettingThatOnlyThePresetHasIsADifference() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder, "run", loss: 10)
    var configuration = Preset.tiny.configuration(vocabularySize: 300, objective: .mlm)
    configuration.recipe.use(.adam)
    try folder.write(configuration.jsonDocument(), "run/config.json")
    let html = try page(folder).html
    #expect(html.contains("preset tiny with mlm"))
    #expect(html.contains("optimizer</td><td>-</td><td>muon</td>"))
  }

  /// Long labels, such as 1.5e-05, get more room: no label crosses the view box of 360 x 206.
  ///
  /// A character of a wide font takes at most 0.64 of the font size on average.
  @Test(arguments: [1.2e-7, 1, 1.2e5])
  func axisLabelsAreInsideTheirFigure(scale: Double) throws {
    let folder = try TemporaryFolder()
    try writeRun(folder, "run", loss: 10)
    let lines = (1...30).map { step in
      let value = scale * Double(40 - step)
      return #"{"step":\#(step),"tokens":\#(step * 12_345),"seconds":60,"loss":\#(value),"#
        + #""learning_rate":\#(value),"input_fraction":\#(value)}"# + "\n"
    }
    try folder.write(lines.joined(), "run/metrics.jsonl")
    let html = try page(folder).html
    let texts = html.matches(
      of: /<text x="([\d.]+)" y="([\d.]+)" text-anchor="(end|middle)" fill="[^"]*">([^<]*)</)
    #expect(texts.count > 20)
    for text in texts {
      let (x, y) = (try #require(Double(text.1)), try #require(Double(text.2)))
      let width = 0.64 * 11 * Double(text.4.count)
      let left = text.3 == "end" ? x - width : x - width / 2
      #expect(left >= 0 && left + width <= 360 && y <= 206, "\(text.0)")
    }
  }

  @Test
  func runsAreComparedAndTheBetterIsMarked() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder, "good", loss: 8)
    try writeRun(folder, "bad", loss: 12, rate: 0.002)
    let (html, text) = try page(folder)
    #expect(html.contains("<title>electra: bad and good</title>"))
    #expect(text.contains("Where the runs differ"))
    #expect(html.contains("<td>10</td><td class=\"best\">6</td>"))
    #expect(html.contains("<td>0.002</td><td>0.001</td>"))
  }

  @Test
  func runsOfOneNameAreDistinguishedByTheFolderAbove() throws {
    let folder = try TemporaryFolder()
    for name in ["a/run", "b/run"] { try writeRun(folder, name, loss: 9) }
    #expect(try page(folder).text.contains("a/run and b/run"))
  }

  /// Median, mean and standard deviation over the seeds of a fine-tuning.
  @Test
  func aFinetuningHasItsStatistics() throws {
    let folder = try TemporaryFolder()
    let results = FinetuningResults(
      task: "cola", head: .transformers, measures: [.init(split: "dev", metric: .matthews)],
      seeds: [0.5, 0.7, 0.9, 0.7].enumerated().map {
        .init(seed: UInt64($0.offset), epoch: 1, step: 3, values: [$0.element])
      })
    try folder.write(JSONEncoder().encode(results), "tuned/results.json")
    // A folder without a configuration is not a fine-tuning.
    #expect(throws: UsageError.self) { _ = try ReportSubjects([folder.path]) }
    try writeFinetuningConfiguration(folder)
    let text = try page(folder).text
    for part in ["Fine-tuning results", "CoLA", "dev matthews", "another model (c0ffee)"] {
      #expect(text.contains(part), "\(part)")
    }
    // The median is the mean of the two middle values; the squared deviations add up to 800.
    #expect(text.contains("70.0070.0016.3350.00  70.00  90.00  70.00"), "\(text)")
    #expect(!text.contains("Classes of"))
  }

  private func writeFinetuningConfiguration(_ folder: TemporaryFolder) throws {
    let description = FinetunedFolder.Description(
      task: try .named("cola"), labels: LabelSet(["0", "1"]), head: .transformers, length: 128)
    let recipe = FinetuningRecipe(
      description.task, Preset.tiny.configuration(vocabularySize: 300).model[.discriminator])
    try folder.write(
      #"{"format_version":1,"model":\#(try description.json()),"encoder_checksum":"c0ffee","#
        + #""data_checksum":"","measured_data":[],"recipe":\#(try recipe.json())}"#,
      "tuned/finetuning.json")
  }

  /// A table of the classes and the confusion matrix: of the best seed, or of all folds.
  @Test(arguments: [
    ("", "the best seed", ["100.00", "50.00", "66.67", "2"], "1"),
    (#""fold":2,"#, "all folds", ["75.00", "75.00", "75.00", "4"], "3"),
  ])
  func theClassesOfAFinetuningHaveTheirScores(
    fold: String, source: String, scores: [String], correct: String
  ) throws {
    let folder = try TemporaryFolder()
    try writeFinetuningConfiguration(folder)
    func part(_ counts: [Int], _ confusion: String) -> String {
      let classes = [0, 1].map { index in
        #"{"name":"\#(index)","correct":\#(counts[3 * index]),"#
          + #""predicted":\#(counts[3 * index + 1]),"support":\#(counts[3 * index + 2])}"#
      }
      return #"[{"split":"dev","classes":[\#(classes.joined(separator: ","))],"#
        + #""confusion":\#(confusion)}]"#
    }
    let first = part([1, 1, 2, 3, 4, 4], #"{"0":{"0":1,"1":1},"1":{"1":3}}"#)
    let second = part([2, 3, 2, 0, 0, 0], #"{"0":{"0":2}}"#)
    try folder.write(
      #"{"task":"cola","head":"transformers","arithmetic":"float32","#
        + #""measures":[{"split":"dev","metric":"matthews"}],"seeds":["#
        + #"{"seed":1,\#(fold)"epoch":1,"step":3,"values":[0.5],"classes":\#(first)},"#
        + #"{"seed":2,\#(fold)"epoch":1,"step":3,"values":[0.4],"classes":\#(second)}]}"#,
      "tuned/results.json")
    let html = try page(folder).html
    #expect(html.contains("Classes of CoLA (tuned, \(source))"), "\(html)")
    for row in [
      scores.map { "<td>\($0)</td>" }.joined(),
      "<td class=\"best\">\(correct)</td><td>1</td>",
      "<td class=\"text\">1</td><td>-</td><td class=\"best\">3</td>",
    ] {
      #expect(html.contains(row), "\(html)")
    }
  }

  @Test
  func whatHoldsNothingIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(throws: UsageError.self) { _ = try ReportSubjects([folder.path]) }
    #expect(throws: FileError.self) { _ = try ReportSubjects([folder.file("none")]) }
  }
}
