import ArgumentParser
import Electra
import Models
import Platform
import Training

/// `electra export`: a model as a Hugging Face folder.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a Hugging Face folder of a pre-trained network or a fine-tuned model.",
    discussion: """
      A discriminator is written as ElectraForPreTraining and a generator as ElectraForMaskedLM of \
      transformers, each with the shared embeddings and its complete head. The encoder of a run \
      that predicts tokens (--objective mlm) is written as ElectraForMaskedLM, that of mlm-rtd as \
      either, and a fine-tuned model as the class of its task.
      """)

  @Option(help: "A run, a checkpoint, or a fine-tuning.")
  var from: String

  @Option(help: "The folder to write; it must not exist.")
  var output: String

  @Option(
    help: """
      The network: discriminator (the main encoder of any run), generator, or, of mlm-rtd, \
      language-model (the main encoder with the head that predicts tokens).
      """)
  var part = ModelPart.discriminator

  @Option(help: "The type of the weights: float32, float16 or bfloat16.")
  var dtype = WeightType.float32

  @Option(help: "The largest file of weights, such as 500MB; above it there are several.")
  var shardSize: String?

  func run() throws {
    try runOnOneRank {
      let format = try ModelFile.Format(type: dtype, shardSize: shardSize)
      try AtomicFolder.expectFree(output)
      if FinetunedFolder.model(in: from) != nil {
        if part != .discriminator {
          throw UsageError("\(from) is fine-tuned and has no \(part.rawValue); omit --part")
        }
        let architecture = try FinetunedFolder(from).export(to: output, format)
        return StandardOutput.print("\(output): \(architecture)")
      }
      let export = try HuggingFaceExport(from: from, part)
      try export.write(to: output, format)
      StandardOutput.print(
        "\(output): \(export.architecture), step \(export.checkpoint.state.step.grouped)")
    }
  }
}

extension ModelPart: ExpressibleByArgument {}
extension WeightType: ExpressibleByArgument {}
