import ArgumentParser
import Electra
import Foundation
import Tokenization
import Training

/// `electra export`: a checkpoint as a folder that transformers loads.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a Hugging Face folder of a pre-trained network or a fine-tuned model.",
    discussion: """
      The discriminator becomes transformers' ElectraForPreTraining, the generator its \
      ElectraForMaskedLM, each with the shared embeddings. Nothing of either head is lost. A \
      fine-tuned model becomes the class of its task.
      """)

  @Option(help: "The folder of a run, of a checkpoint, or of a fine-tuning.")
  var from: String

  @Option(help: "The folder to make.")
  var output: String

  @Option(help: "Which network: discriminator or generator.")
  var part = ModelPart.discriminator

  func run() throws {
    try reportingErrors {
      guard !FileManager.default.fileExists(atPath: output) else {
        throw UsageError("\(output) exists; choose another --output")
      }
      if FinetunedFolder.model(in: from) != nil {
        let architecture = try FinetunedFolder(from).export(to: output)
        return print("\(output): \(architecture)")
      }
      let checkpoint = try CheckpointFolder(from)
      let partial = output + ".partial"
      do {
        try? FileManager.default.removeItem(atPath: partial)
        try FileManager.default.createDirectory(
          atPath: partial, withIntermediateDirectories: true)
        try write(checkpoint, to: partial)
        try FileManager.default.moveItem(atPath: partial, toPath: output)
      } catch {
        try? FileManager.default.removeItem(atPath: partial)
        throw error is CocoaError
          ? CheckpointError.unwritable(path: output, reason: error.localizedDescription) : error
      }
      print("\(output): \(part.architecture), step \(checkpoint.state.step.grouped)")
    }
  }

  private func write(_ checkpoint: CheckpointFolder, to folder: String) throws {
    let sizes = checkpoint.model.sizes[part]
    try ModelFile.write(
      checkpoint.weights(), checkpoint.model.layout, path: folder + "/model.safetensors",
      naming: { part.huggingFaceName($0) })
    var files = try checkpoint.tokenizer.files(maximumLength: sizes.positionCount)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    files["config.json"] = try encoder.encode(
      HuggingFaceConfiguration(
        sizes, part: part, paddingID: checkpoint.tokenizer.vocabulary.special.padding))
    files["README.md"] = Data(ModelCard(checkpoint, part).text.utf8)
    for (name, data) in files {
      try data.write(to: URL(fileURLWithPath: folder + "/" + name))
    }
  }
}

extension ModelPart: ExpressibleByArgument {}
