import Collectives
import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Tensors
import Training

/// A task with its files, and the encoder that is to learn it.
package struct FinetuningRequest {
  package var task: Task
  /// The files of a role; it throws where training or dev files are missing.
  package var files: (SplitRole) throws -> [TaskFile]
  /// The folder of the encoder.
  package var encoder: String
  /// Whether the encoder begins with new weights.
  package var isScratch: Bool
  package var head: HeadStyle
  /// What becomes of rows whose label is empty.
  package var emptyLabels: EmptyLabels

  package init(
    task: Task, files: @escaping (SplitRole) throws -> [TaskFile], encoder: String,
    isScratch: Bool, head: HeadStyle, emptyLabels: EmptyLabels
  ) {
    (self.task, self.files) = (task, files)
    (self.encoder, self.isScratch, self.head) = (encoder, isScratch, head)
    self.emptyLabels = emptyLabels
  }
}

/// A fine-tuning before its first step: encoder, model, data and recipe, all checked.
package struct FinetuningPlan {
  package let source: EncoderSource
  /// Whether the encoder begins with new weights.
  let isScratch: Bool
  package let model: TaskModel
  let train: ExampleSet
  /// The first chooses the best epoch.
  package let dev: [ExampleSet]
  package let test: [ExampleSet]
  package var configuration: FinetuningConfiguration

  package var task: Task { train.task }
  /// The sets whose answers are measured: dev, then test where the right answers are known.
  package var measured: [ExampleSet] { dev + test.filter(\.isLabelled) }
  package var recipe: FinetuningRecipe { configuration.recipe }
  var steps: Int { recipe.steps(examples: train.examples.count) }
  /// The tokens of the longest sequence that will come.
  package var longest: Int { ([train] + dev + test).map(\.longest).max() ?? 0 }

  /// Opens and reads everything.
  ///
  /// - Parameters:
  ///   - request: the task, its files and the encoder.
  ///   - workers: the threads of all ranks.
  ///   - change: applies the user's options to the paper's recipe.
  /// - Throws: an error that names the file, or the option that is out of range.
  package init(
    _ request: FinetuningRequest, workers: Int, change: (inout FinetuningRecipe) -> Void
  ) throws {
    source = try EncoderSource(request.encoder)
    isScratch = request.isScratch
    var recipe = FinetuningRecipe(request.task, source.sizes)
    change(&recipe)
    // The number of slices then follows from the data.
    let isFirstStart = recipe.slices == 0
    if isFirstStart { recipe.slices = 1 }
    if let problem = recipe.problem(positions: source.sizes.positionCount) {
      throw UsageError(problem)
    }
    let reader = try ExampleReader(
      request.task, tokenizer: source.tokenizer, maximumLength: recipe.length,
      emptyLabels: request.emptyLabels)
    train = try reader.read(request.files(.training)[0])
    let labels = train.labels
    func read(_ role: SplitRole) throws -> [ExampleSet] {
      try request.files(role).map { try reader.read($0, labels: labels) }
    }
    dev = try read(.development)
    test = try read(.test)
    if isFirstStart { recipe.slices = train.usualSlices(batch: recipe.batchSize, workers: workers) }
    let description = FinetunedFolder.Description(
      task: request.task, labels: labels, head: request.head, length: recipe.length)
    var sizes = source.sizes
    sizes.encoder.dropoutRate = recipe.dropoutRate
    sizes.encoder.attentionDropoutRate = recipe.dropoutRate
    model = description.model(sizes)
    configuration = FinetuningConfiguration(
      model: description, encoder: isScratch ? "" : source.checksum, data: train.checksum,
      measured: (dev + test.filter(\.isLabelled)).map(\.fingerprint), recipe: recipe,
      targetScale: TargetScale(train))
  }

  /// What is about to be done, a sentence a line.
  package var summary: [String] {
    let tokens = train.examples.reduce(0) { $0 + $1.tokens.count }
    let mean = tokens / train.examples.count
    let labels = train.labels.names.isEmpty ? "" : "; \(Self.list(train.labels.names))"
    let encoder = isScratch ? "new weights in the sizes of" : "encoder of"
    let parameters = model.layout.parameterCount.grouped
    let warmup = trainerSettings.schedule.warmupSteps.grouped
    var lines = [
      "\(task.title): \(train.examples.count.grouped) training sequences of \(mean) tokens on "
        + "average and \(train.longest) at most\(labels)"
    ]
    for set in dev + test {
      lines.append("\(set.split.name): \(set.examples.count.grouped) of \(set.path)")
    }
    lines.append(
      "\(encoder) \(source.path): \(parameters) parameters with the \(model.style.rawValue) head")
    lines.append(
      "\(steps.grouped) steps of \(recipe.batchSize) sequences in \(recipe.slices) slices, "
        + "\(recipe.epochs) epochs; the rate rises to \(recipe.learningRate) in \(warmup) steps, "
        + "each layer has \(recipe.layerDecay) of that of the one above")
    if let scale = configuration.targetScale {
      lines.append(
        String(
          format: "scores are scaled by their mean %.6g and standard deviation %.6g in training",
          scale.mean, scale.standardDeviation))
    }
    for set in [train] + dev + test {
      lines += set.notes.sentences(path: set.path).map { "note: " + $0 }
    }
    return lines
  }

  private static func list(_ names: [String]) -> String {
    "\(names.count) labels: " + names.prefix(8).joined(separator: ", ")
      + (names.count > 8 ? " and \(names.count - 8) more" : "")
  }

  var trainerSettings: TrainerSettings {
    TrainerSettings(
      batchSize: recipe.batchSize, sliceCount: recipe.slices,
      schedule: LearningRateSchedule(
        learningRate: recipe.learningRate, steps: steps,
        warmupSteps: Int(recipe.warmupFraction * Double(steps))),
      adam: AdamHyperparameters(weightDecay: recipe.weightDecay), clipNorm: recipe.clipNorm)
  }
}

extension ExampleSet {
  /// The number of slices that suits batches of these sequences.
  fileprivate func usualSlices(batch: Int, workers: Int) -> Int {
    let tokens = examples.reduce(0) { $0 + $1.tokens.count }
    return ReductionTree.defaultSliceCount(
      batch: batch, tokens: batch * tokens / examples.count, workers: workers)
  }

  /// CRC-32C of the sequences and of what they should be answered with.
  var checksum: String {
    var checksum = CRC32C()
    for example in examples {
      example.tokens.withUnsafeBytes { checksum.add($0) }
      example.types.withUnsafeBytes { checksum.add($0) }
      Array("\(example.target)".utf8).withUnsafeBytes { checksum.add($0) }
    }
    return String(checksum.value, radix: 16)
  }

  /// What tells it from another set: the name of its split, and checksums of its sequences and of its
  /// file, which holds right answers besides.
  package var fingerprint: String {
    "\(split.name) \(checksum) \(CheckpointState.checksum(of: path) ?? "")"
  }
}
