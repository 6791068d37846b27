import Electra
import Finetuning
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

struct FinetunedFolderTests {
  /// Writes a small model, by default for CoLA, to `path`; returns its weights.
  @discardableResult
  private func write(
    _ path: String, _ task: Task? = nil, head: HeadStyle = .transformers, length: Int = 12,
    arithmetic: Arithmetic? = nil
  ) throws -> [Float] {
    let tokenizer = try smallTokenizer()
    let sizes = smallConfiguration(tokenizer).model[.discriminator]
    var description = FinetunedFolder.Description(
      task: try task ?? .named("cola"), labels: LabelSet(["no", "yes"]), head: head,
      length: length)
    description.arithmetic = arithmetic
    let model = description.model(sizes)
    let weights = randomWeights(model.layout, scale: 0.3)
    try FinetunedFolder.write(weights, model, description, tokenizer, to: path)
    return weights.values
  }

  @Test
  func aModelIsReadAsItWasWritten() throws {
    let folder = try TemporaryFolder()
    let weights = try write(folder.file("model"))
    let read = try FinetunedFolder(folder.file("model"))
    #expect(try read.weights().values == weights)
    #expect(read.description.task.name == "cola" && read.description.length == 12)
    #expect(read.description.labels.names == ["no", "yes"])
    // Writing again replaces the model.
    try write(folder.file("model"), length: 10)
    #expect(try FinetunedFolder(folder.file("model")).description.length == 10)
    #expect(try folder.names() == ["model"])
  }

  @Test
  func theFolderOfAFinetuningLeadsToItsBestSeed() throws {
    let folder = try TemporaryFolder()
    let results = FinetuningResults(
      task: "cola", head: .transformers, measures: [.init(split: "dev", metric: .matthews)],
      seeds: [
        .init(seed: 1, epoch: 1, step: 3, values: [0.2]),
        .init(seed: 2, epoch: 1, step: 3, values: [0.4]),
      ])
    try folder.write(JSONEncoder().encode(results), "tuned/results.json")
    #expect(FinetunedFolder.model(in: folder.file("tuned")) == nil)
    let best = folder.file("tuned/" + FinetuningResults.folder(seed: 2, fold: nil))
    try write(best + "/model")
    #expect(FinetunedFolder.model(in: folder.file("tuned")) == best + "/model")
    #expect(FinetunedFolder.model(in: best) == best + "/model")
    #expect(try FinetunedFolder(folder.file("tuned")).path == best + "/model")
  }

  @Test(arguments: [
    ("\"max_seq_length\" : 12", "\"max_seq_length\" : 13", "is above the model's 12 positions"),
    ("\"format_version\" : 1", "\"format_version\" : 2", "its format is 2"),
    (
      "\"vocab_sha256\" : \"", "\"vocab_sha256\" : \"0",
      "is not the one that it was fine-tuned with"
    ),
    ("\"head\"", "\"heads\"", "the key head is missing"),
    ("\"matthews\"", "\"pearson\"", "which the metric pearson does not measure"),
    (
      "\"problem\" : \"classification\"", "\"problem\" : \"tagging\"",
      "a split has the layout of another problem"
    ),
  ])
  func aDescriptionThatDoesNotFitIsRefused(old: String, new: String, reason: String) throws {
    let folder = try TemporaryFolder()
    try write(folder.file("model"))
    let text = try folder.text("model/task.json")
    #expect(text.contains(old), "\(text)")
    try folder.write(text.replacingOccurrences(of: old, with: new), "model/task.json")
    let problem = sentence { _ = try FinetunedFolder(folder.file("model")) }
    #expect(problem.contains(reason), "\(problem)")
  }

  /// The number of columns that such an index needs would overflow.
  @Test(arguments: ["-9223372036854775808", "9223372036854775807"])
  func aColumnThatNoFileHasIsRefused(index: String) throws {
    let folder = try TemporaryFolder()
    try write(folder.file("model"), .custom(.tagging, .words(WordColumns())))
    let text = try folder.text("model/task.json")
    #expect(text.contains("\"word\" : 0"), "\(text)")
    try folder.write(
      text.replacingOccurrences(of: "\"word\" : 0", with: "\"word\" : \(index)"),
      "model/task.json")
    let problem = sentence { _ = try FinetunedFolder(folder.file("model")) }
    #expect(problem.contains("words or tags in column \(index)"), "\(problem)")
  }

  @Test
  func anExportIsACopyWithACard() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("model"))
    let model = try FinetunedFolder(folder.file("model"))
    #expect(try model.export(to: folder.file("export")) == "ElectraForSequenceClassification")
    #expect(
      try Set(folder.names("export")).subtracting(folder.names("model")) == ["README.md"])
    let card = try folder.text("export/README.md")
    #expect(card.contains("with the labels no, yes"))
    #expect(card.contains("ElectraForSequenceClassification.from_pretrained"))
    for name in try folder.names("model") {
      #expect(try folder.bytes("export/" + name) == folder.bytes("model/" + name))
    }
    let configuration = try folder.text("export/config.json")
    #expect(configuration.contains("\"id2label\"") && configuration.contains("\"1\" : \"yes\""))
  }

  /// Also from a folder of another type, whose files cannot be copied.
  @Test
  func anExportHasTheTypeThatIsAskedFor() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("model"))
    var source = folder.file("model")
    for type in [WeightType.float16, .float32] {
      let name = folder.file(type.rawValue)
      _ = try FinetunedFolder(source).export(to: name, ModelFile.Format(type: type))
      let types = try ModelTensors(folder: name).entries.map(\.type)
      let isHalf = type == .float16
      #expect(types.allSatisfy { $0 == (isHalf ? .float16 : .float32) } && !types.isEmpty)
      let configuration = try folder.text(type.rawValue + "/config.json")
      #expect(configuration.contains("torch_dtype") == isHalf)
      source = name
    }
    let half = try FinetunedFolder(folder.file("float16")).weights().values
    #expect(try FinetunedFolder(folder.file("float32")).weights().values == half)
  }

  /// By this type transformers chooses the loss, and so the meaning of the logits.
  @Test(
    arguments: [
      (.classification, "single_label_classification"),
      (.multilabel, "multi_label_classification"), (.regression, "regression"), (.tagging, nil),
    ] as [(Problem, String?)])
  func theProblemTypeIsThatOfTransformers(problem: Problem, type: String?) throws {
    let folder = try TemporaryFolder()
    let layout =
      problem == .tagging
      ? Layout.words(WordColumns()) : .table(Columns(first: .named("text")))
    try write(folder.file("model"), .custom(problem, layout))
    let data = Data(try folder.bytes("model/config.json"))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    #expect(object?["problem_type"] as? String == type)
    #expect((object?["id2label"] as? [String: String])?.isEmpty == false)
    #expect(try FinetunedFolder(folder.file("model")).description.task.problem == problem)
  }

  /// Models of earlier versions do not record it.
  @Test
  func theArithmeticIsRecordedAndInTheCard() throws {
    let folder = try TemporaryFolder()
    for arithmetic in [nil, Arithmetic.float32, .bfloat16, .bfloat16AMX] {
      let name = arithmetic?.rawValue ?? "none"
      try write(folder.file(name), arithmetic: arithmetic)
      let model = try FinetunedFolder(folder.file(name))
      #expect(model.description.arithmetic == arithmetic)
      _ = try model.export(to: folder.file(name + "-export"))
      let card = try folder.text(name + "-export/README.md")
      let isRounded = arithmetic?.roundsFactors == true
      #expect(card.contains("in bfloat16 arithmetic") == isRounded)
    }
  }

  @Test
  func theReferenceHeadIsNotExported() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("model"), head: .reference)
    let model = try FinetunedFolder(folder.file("model"))
    let problem = sentence { _ = try model.export(to: folder.file("export")) }
    #expect(problem.contains("transformers has no model with the reference head"))
    #expect(try folder.names() == ["model"])
  }
}
