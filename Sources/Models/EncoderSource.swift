import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import Tokenization
import Training

/// The encoder that a fine-tuning starts from (`--from`).
///
/// It is a run or a checkpoint of pre-training, a Hugging Face folder of ELECTRA or BERT, or a
/// model that was fine-tuned before.
package struct EncoderSource {
  package let path: String
  package let sizes: NetworkSizes
  package let tokenizer: Tokenizer
  private let file: ModelTensors
  /// The name in the file of a parameter of `TaskModel` (`electra.embeddings...`).
  private let name: (String) -> String

  /// Opens the encoder and checks that every tensor exists and has the expected shape.
  ///
  /// Throws an error that names the folder, the file or the tensors.
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
      file = try checkpoint.discriminatorTensors()
      name = { name in
        let bare = name.dropFirst("electra.".count)
        return bare.hasPrefix("embeddings.") ? String(bare) : "discriminator.\(bare)"
      }
    }
    let model = TaskModel(sizes, .classification, outputs: 1, style: .reference)
    let differences = ModelFile.compare(file, model.layout, naming: naming(model))
    try ModelFile.expectNone(differences.problems, path: file.path)
  }

  /// Names in the file by the names of `model`; nil for parameters that are not pre-trained.
  private func naming(_ model: TaskModel) -> (String) -> String? {
    { model.layout[$0].flatMap { model.isPretrained($0) ? name($0.name) : nil } }
  }

  /// The CRC-32C of the files of weights; empty if one cannot be read.
  package var checksum: String { file.checksum }

  /// Copies the encoder into its part of `weights`; the head is left unchanged.
  package func load(into weights: Storage, _ model: TaskModel) throws {
    try ModelFile.copy(file, model.layout, into: weights, naming: naming(model))
  }
}
