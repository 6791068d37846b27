import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import Tokenization
import Training

/// Where a task's encoder comes from (`--from`): a run or a checkpoint of pre-training, a folder of
/// transformers' ELECTRA or BERT, or a model that was fine-tuned before.
package struct EncoderSource {
  package let path: String
  package let sizes: NetworkSizes
  package let tokenizer: Tokenizer
  private let file: SafetensorsFile
  /// What an encoder's parameter (`electra.embeddings...`) is called in the file.
  private let name: (String) -> String

  /// Opens it and makes sure that the encoder is whole.
  package init(_ path: String) throws {
    let path = FinetunedFolder.model(in: path) ?? path
    self.path = path
    if HuggingFaceFolder.isOne(path) {
      let folder = try HuggingFaceFolder(path)
      (sizes, tokenizer, file) = (folder.sizes, try folder.tokenizer(), folder.file)
      name = { folder.encoderName(String($0.dropFirst("electra.".count))) }
    } else {
      let checkpoint = try CheckpointFolder(path)
      (sizes, tokenizer) = (checkpoint.model.sizes[.discriminator], checkpoint.tokenizer)
      file = try SafetensorsFile(path: checkpoint.modelPath)
      name = { own in
        let bare = own.dropFirst("electra.".count)
        return bare.hasPrefix("embeddings.") ? String(bare) : "discriminator.\(bare)"
      }
    }
    let model = TaskModel(sizes, .classification, outputs: 1, style: .reference)
    let differences = compare(model)
    try ModelFile.expectNone(
      differences.mismatched + differences.missing.map { "\($0) is missing" }, path: file.path)
  }

  private func compare(_ model: TaskModel) -> ModelFile.Differences {
    ModelFile.compare(file, model.layout, naming: naming(model))
  }

  private func naming(_ model: TaskModel) -> (String) -> String? {
    { model.layout[$0].flatMap { model.isPretrained($0) ? name($0.name) : nil } }
  }

  /// The checksum of the file of weights.
  package var checksum: String { CheckpointState.checksum(of: file.path) ?? "" }

  /// Fills the encoder's part of `weights`.
  package func load(into weights: Storage, _ model: TaskModel) throws {
    try ModelFile.copy(file, model.layout, into: weights, naming: naming(model))
  }
}
