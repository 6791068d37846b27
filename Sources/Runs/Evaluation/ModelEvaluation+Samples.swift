import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
import Tokenization
import Training

// Detection of samples that are equal for all judged models: `electra evaluate --samples`.

extension ModelEvaluation {
  /// The source of samples that has no model: the frequencies of the tokens of the training data.
  private static let unigram = "unigram"

  /// The metrics of a checkpoint's discriminator on held-out examples of `data`, in which
  /// `FixedSamples` are replaced.
  ///
  /// The samples depend on the data, on `examples` and on `source` alone: `unigram`, or the folder
  /// of a run, a checkpoint or a Hugging Face generator. Throws an error that names the folder if
  /// vocabularies differ, if examples are longer than those of a model, and for models without the
  /// head that is needed.
  package func detection(
    data folder: String, samples source: String, examples: Int
  ) throws -> Report {
    let data = try heldOutData(folder)
    let (checkpoint, pretrained) = try world.agree {
      let checkpoint = try CheckpointFolder(path)
      let pretrained = try PretrainedDiscriminator(checkpoint)
      try data.expect(checkpoint.tokenizer, of: path)
      try data.expect(longest: pretrained.longest, of: path)
      return (checkpoint, pretrained)
    }
    let positions = FixedSamples(
      special: data.vocabulary.special, length: data.description.maximumLength)
    let set = HeldOutExamples(
      data: data, count: min(examples, data.heldOutCount), positions: positions)
    try world.expectEqual([("number of examples", "\(set.count)")])
    let samples = try samples(of: source, set)
    let detection = SampleDetection(
      pretrained.discriminator, positions, samples: samples,
      longest: data.description.maximumLength,
      arithmetic: try selected(pretrained.arithmetic))
    let tally = try tally(detection, pretrained.weights, set)
    var line = MetricsLine(step: checkpoint.state.step, split: .heldOut)
    line.append(.examples, Double(set.count))
    line.append(detection.metrics(of: tally))
    let checksum = String(format: "%08x", samples.withUnsafeBytes { CRC32C.of($0) })
    line.append(.samplesChecksum, text: checksum)
    return Report(
      "step \(line.step.grouped), \(set.count.of("example")) with samples of \(source) "
        + "(checksum \(checksum))", line)
  }

  /// The examples that are judged.
  private struct HeldOutExamples {
    let data: ShardSet
    let count: Int
    let positions: FixedSamples
  }

  /// The outputs of `SampleDrawing` for all examples, equal on every rank.
  private func samples(of source: String, _ set: HeldOutExamples) throws -> [Float] {
    let (drawing, weights) = try world.agree {
      if source == Self.unigram {
        return (SampleDrawing(set.positions, try set.data.unigramSampler()), Storage(count: 0))
      }
      let model = try ScoringModel(source)
      try set.data.expect(model.tokenizer, of: source)
      try set.data.expect(longest: model.objective.longest, of: source)
      guard let drawing = SampleDrawing(set.positions, model.objective) else {
        throw ModelError.unusable(
          path: source, reason: "it has neither a generator nor a masked language model to sample")
      }
      return (drawing, model.weights)
    }
    // The option --arithmetic is that of the judged model; the samples keep theirs.
    let warnings = try KernelSelection(drawing.arithmetic, world).warnings
    if world.rank == 0 { warnings.forEach(warn) }
    return try tally(drawing, weights, set).outputs
  }

  /// The tally of all examples by a model of these weights.
  private func tally(
    _ model: some Evaluable, _ weights: Storage, _ set: HeldOutExamples
  ) throws -> Tally {
    let evaluator = try Evaluator(model, weights: weights, world: world, processors: processors)
    defer { evaluator.end() }
    return try evaluator.tally(
      sequences: set.count, shouldStop: { StopSignals.isRequested },
      source: { _, sequences in try set.data.heldOut(sequences, of: set.count) })
  }
}
