import ArgumentParser
import Electra
import Models
import Platform
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
      let export = try HuggingFaceExport(from: from, part)
      try export.write(to: output)
      StandardOutput.print(
        "\(output): \(export.architecture), step \(export.checkpoint.state.step.grouped)")
    }
  }
}

extension ModelPart: ExpressibleByArgument {}
