import ArgumentParser
import Electra
import Foundation
import Models
import Platform
import Tokenization
import Training

/// `electra export`: a checkpoint as a folder that transformers loads.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a Hugging Face folder of a pre-trained network or a fine-tuned model.",
    discussion: """
      The discriminator becomes transformers' ElectraForPreTraining, the generator its \
      ElectraForMaskedLM, each with the shared embeddings. Nothing of either head is lost. The \
      encoder of a run that predicts tokens (--objective mlm) becomes an ElectraForMaskedLM too. A \
      fine-tuned model becomes the class of its task.
      """)

  @Option(help: "The folder of a run, of a checkpoint, or of a fine-tuning.")
  var from: String

  @Option(help: "The folder to make.")
  var output: String

  @Option(help: "Which network: discriminator (the large encoder of any run) or generator.")
  var part = ModelPart.discriminator

  func run() throws {
    try runOnOneRank {
      try AtomicFolder.expectFree(output)
      if FinetunedFolder.model(in: from) != nil {
        let architecture = try FinetunedFolder(from).export(to: output)
        return StandardOutput.print("\(output): \(architecture)")
      }
      let checkpoint = try CheckpointFolder(from)
      let task = checkpoint.configuration.recipe.task
      guard let architecture = task.architecture(of: part) else {
        throw UsageError(
          "\(from) has no \(part.rawValue): its objective is \(task.goal.rawValue); leave --part out "
            + "for its encoder")
      }
      let folder = try makeFolder(output)
      try write(checkpoint, architecture, to: folder.partial)
      try folder.publish()
      StandardOutput.print("\(output): \(architecture), step \(checkpoint.state.step.grouped)")
    }
  }

  private func write(
    _ checkpoint: CheckpointFolder, _ architecture: String, to folder: String
  ) throws {
    let task = checkpoint.configuration.recipe.task
    let sizes = checkpoint.model.sizes[part]
    try ModelFile.write(
      checkpoint.weights(), checkpoint.model.layout, path: folder + "/model.safetensors",
      fault: FaultInjection.hook, naming: { task.huggingFaceName($0, of: part) })
    var files = try checkpoint.tokenizer.files(maximumLength: sizes.positionCount)
    files["config.json"] = try HuggingFaceConfiguration(
      sizes, architecture: architecture,
      paddingID: checkpoint.tokenizer.vocabulary.special.padding
    ).jsonDocument()
    files["README.md"] = Data(ModelCard(checkpoint, part, architecture).text.utf8)
    for (name, data) in files {
      try DurableFile.write(
        Array(data), to: folder + "/" + name, fault: FaultInjection.hook)
    }
  }
}

extension ModelPart: ExpressibleByArgument {}
