import Electra
import Finetuning
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

/// The encoder's weights of a task's model that a source was loaded into; the head stays zero.
func encoder(_ source: EncoderSource) throws -> [Float] {
  let model = TaskModel(source.sizes, .classification, outputs: 2, style: .transformers)
  let weights = Storage(count: model.layout.count)
  try source.load(into: weights, model)
  for parameter in model.layout.parameters {
    let isFilled = weights.values(parameter).contains { $0 != 0 }
    #expect(isFilled == model.isPretrained(parameter), "\(parameter.name)")
  }
  return weights.values
}

struct EncoderSourceTests {
  @Test
  func aRunAndItsExportGiveTheSameEncoder() throws {
    let folder = try exportedRun()
    let (ours, theirs) = (
      try EncoderSource(folder.file("run")), try EncoderSource(folder.file("discriminator"))
    )
    #expect(ours.sizes.encoder.hiddenSize == 16 && theirs.sizes.encoder.layerCount == 2)
    #expect(try encoder(ours) == encoder(theirs))
    // The checksum covers the whole file, so it differs.
    #expect(ours.checksum != theirs.checksum && ours.checksum.count > 4)
  }

  /// A folder with a generator can be fine-tuned too.
  @Test
  func aGeneratorIsAnEncoder() throws {
    let folder = try exportedRun()
    let source = try EncoderSource(folder.file("generator"))
    #expect(source.sizes.encoder.hiddenSize == 8)
    #expect(try encoder(source).contains { $0 != 0 })
  }

  @Test
  func anEncoderThatLacksALayerIsRefused() throws {
    let folder = try exportedRun()
    let path = "discriminator/config.json"
    let text = try folder.text(path).replacingOccurrences(
      of: "\"num_hidden_layers\" : 2", with: "\"num_hidden_layers\" : 3")
    try folder.write(text, path)
    let error = sentence { _ = try EncoderSource(folder.file("discriminator")) }
    #expect(error.contains("encoder.layer.2.attention.self.query") && error.contains("is missing"))
  }
}
