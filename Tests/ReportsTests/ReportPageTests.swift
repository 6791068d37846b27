import Electra
import Finetuning
import Foundation
import Models
import Platform
import Reports
import TestSupport
import Testing

/// Pages about folders whose files the test writes.
struct ReportPageTests {
  private static let names = ["loss", "generator_loss", "discriminator_auc", "unheard_of"]

  /// A run of 30 steps whose loss begins at `loss` and falls evenly.
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
    // A figure for every metric, described or not, with a curve of training.
    for label in ["Loss", "Generator loss", "Discriminator AUC", "unheard of"] {
      #expect(html.contains("aria-label=\"\(label)\""), "\(label)")
    }
    #expect(html.components(separatedBy: "data-name=\"first &amp; one \"").count == 5)
    #expect(html.contains("data-y=\"9.9 9.8 "))
    // It needs nothing beside itself, and has its style and its script.
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(outside), "\(outside)")
    }
    #expect(html.contains("<style>\n:root {") && html.contains("\n}\n</script>"))
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
  func runsOfOneNameAreToldApartByTheFolderAbove() throws {
    let folder = try TemporaryFolder()
    for name in ["a/run", "b/run"] { try writeRun(folder, name, loss: 9) }
    #expect(try page(folder).text.contains("a/run and b/run"))
  }

  /// Medians, means and deviations of a fine-tuning's seeds.
  @Test
  func aFinetuningHasItsStatistics() throws {
    let folder = try TemporaryFolder()
    let results = FinetuningResults(
      task: "cola", head: .transformers, measures: [.init(split: "dev", metric: .matthews)],
      seeds: [0.5, 0.7, 0.9, 0.7].enumerated().map {
        .init(seed: UInt64($0.offset), epoch: 1, step: 3, values: [$0.element])
      })
    try folder.write(JSONEncoder().encode(results), "tuned/results.json")
    // Without its configuration it is no fine-tuning.
    #expect(throws: UsageError.self) { _ = try ReportSubjects([folder.path]) }
    let description = FinetunedFolder.Description(
      task: try .named("cola"), labels: LabelSet(["0", "1"]), head: .transformers, length: 128)
    let recipe = FinetuningRecipe(
      description.task, Preset.tiny.configuration(vocabularySize: 300).model[.discriminator])
    try folder.write(
      #"{"format_version":1,"model":\#(try description.json()),"encoder_checksum":"c0ffee","#
        + #""data_checksum":"","measured_data":[],"recipe":\#(try recipe.json())}"#,
      "tuned/finetuning.json")
    let text = try page(folder).text
    for part in ["Fine-tuning results", "CoLA", "dev matthews", "another model (c0ffee)"] {
      #expect(text.contains(part), "\(part)")
    }
    // The mean of the two in the middle; squared deviations that add up to 800.
    #expect(text.contains("70.0070.0016.3350.00  70.00  90.00  70.00"), "\(text)")
  }

  @Test
  func whatHoldsNothingIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(throws: UsageError.self) { _ = try ReportSubjects([folder.path]) }
    #expect(throws: FileError.self) { _ = try ReportSubjects([folder.file("none")]) }
  }
}
