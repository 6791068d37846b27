import Collectives
import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Tensors
import Training

/// A task with its files, and the encoder to fine-tune on it.
package struct FinetuningRequest {
  package var task: Task
  /// Returns the files of a role; throws where training or dev files are missing.
  package var files: (SplitRole) throws -> [TaskFile]
  /// The folder of the encoder.
  package var encoder: String
  /// Whether the encoder begins with new weights.
  package var isScratch: Bool
  package var head: HeadStyle
  /// How to treat rows with an empty label.
  package var emptyLabels = EmptyLabels.stop
  /// The number of folds of a cross-validation, which needs no dev files; nil for none.
  package var folds: Int?

  package init(
    task: Task, files: @escaping (SplitRole) throws -> [TaskFile], encoder: String,
    isScratch: Bool, head: HeadStyle
  ) {
    (self.task, self.files) = (task, files)
    (self.encoder, self.isScratch, self.head) = (encoder, isScratch, head)
  }
}

/// The encoder, model, data and recipe of a fine-tuning, all checked before its first step.
package struct FinetuningPlan {
  package let source: EncoderSource
  /// Whether the encoder begins with new weights.
  let isScratch: Bool
  package let model: TaskModel
  var train: ExampleSet
  /// The dev sets, of which the first chooses the best epoch; in a cross-validation the held-out
  /// examples.
  package internal(set) var dev: [ExampleSet]
  package let test: [ExampleSet]
  package var configuration: FinetuningConfiguration
  /// The parts of a cross-validation; nil without one.
  let folds: Folds?
  /// The number of the fold that this plan trains, from 1; nil for the plan of all data.
  var fold: Int?

  package var task: Task { train.task }
  /// The sets that are scored: dev, then test sets with labels.
  package var measured: [ExampleSet] { dev + test.filter(\.isLabelled) }
  package var recipe: FinetuningRecipe { configuration.recipe }
  var steps: Int { recipe.steps(examples: train.examples.count) }
  /// The length of the longest sequence of all sets, in tokens.
  package var longest: Int { ([train] + dev + test).map(\.longest).max() ?? 0 }

  /// Opens the encoder, reads all sets and checks the recipe.
  ///
  /// - Parameters:
  ///   - request: the task, its files and the encoder.
  ///   - workers: the number of worker threads of all ranks; the default number of slices depends
  ///     on it.
  ///   - change: applies the user's options to the paper's recipe.
  /// - Throws: an error that names the file, or the option that is out of range.
  package init(
    _ request: FinetuningRequest, workers: Int, change: (inout FinetuningRecipe) -> Void
  ) throws {
    source = try EncoderSource(request.encoder)
    isScratch = request.isScratch
    var recipe = FinetuningRecipe(request.task, source.sizes)
    change(&recipe)
    // Without --slices the number follows from the data, which are not read yet.
    let usesDefaultSlices = recipe.slices == 0
    if usesDefaultSlices { recipe.slices = 1 }
    if let problem = recipe.problem(positions: source.sizes.positionCount) {
      throw UsageError(problem)
    }
    let reader = try ExampleReader(
      request.task, tokenizer: source.tokenizer, maximumLength: recipe.length,
      emptyLabels: request.emptyLabels)
    let file = try request.files(.training)[0]
    train = try reader.read(file)
    let labels = train.labels
    func read(_ role: SplitRole) throws -> [ExampleSet] {
      try request.files(role).map { try reader.read($0, labels: labels) }
    }
    dev =
      request.folds == nil
      ? try read(.development) : [try reader.read(file.heldOut, labels: labels)]
    folds = try request.folds.map { [dev, recipe] in try Folds($0, dev[0], seed: recipe.seed) }
    test = try read(.test)
    if usesDefaultSlices {
      recipe.slices = train.usualSlices(batch: recipe.batchSize, workers: workers)
    }
    let description = FinetunedFolder.Description(
      task: request.task, labels: labels, head: request.head, length: recipe.length)
    model = description.model(source.sizes.with(dropout: recipe.dropoutRate))
    configuration = FinetuningConfiguration(
      model: description, encoder: isScratch ? "" : source.checksum, data: train.checksum,
      measured: (dev + test.filter(\.isLabelled)).map(\.fingerprint), recipe: recipe,
      targetScale: TargetScale(train), folds: request.folds,
      newParameters: isScratch ? model.encoderParameterCount : nil)
    _ = try classWeights()
    try expectTrainableFolds()
  }

  /// Model, data and steps, as the first lines of the log and the output of `--dry-run`.
  package var summary: [String] {
    let tokens = train.examples.reduce(0) { $0 + $1.tokens.count }
    let names = train.labels.names
    let labels = names.isEmpty ? "" : "; \(names.count) labels: \(shortList(names, most: 8))"
    let part = folds == nil ? self : fold(1)
    let warmup = part.trainerSettings.schedule.warmupSteps.of("warm-up step")
    var lines = [
      "electra finetune: \(task.title), \(model.layout.parameterCount.grouped) parameters "
        + "(\(isScratch ? "new weights in the sizes of" : "encoder") \(source.path), "
        + "\(model.style.rawValue) head)",
      "data: \(train.examples.count.grouped) training sequences of "
        + "\(tokens / train.examples.count) tokens on average, \(train.longest) at most\(labels)",
    ]
    for set in dev + test {
      lines.append("\(set.split.name): \(set.examples.count.grouped) sequences of \(set.path)")
    }
    if let folds {
      lines.append(
        "folds: \(folds.count), each trained on the others and scored on its own examples after "
          + "the last epoch")
    }
    lines.append(
      "steps: \(part.steps.grouped) of \(recipe.batchSize) sequences in \(recipe.slices) slices, "
        + "\(recipe.epochs) epochs; learning rate \(recipe.learningRate) after \(warmup), "
        + "layer-wise decay \(recipe.layerDecay)")
    if let scale = configuration.targetScale, folds == nil {
      lines.append(
        String(
          format: "targets: scaled by mean %.6g and standard deviation %.6g in training",
          scale.mean, scale.standardDeviation))
    }
    if let words = recipe.classWeights {
      lines.append("class weights: \(words.joined(separator: " "))")
    }
    return lines + notes
  }

  /// A line for each irregularity that the readers have accepted.
  private var notes: [String] {
    ([train] + (folds == nil ? dev : []) + test).flatMap(\.noteLines)
  }

  /// The optimizer settings of every seed.
  var trainerSettings: TrainerSettings {
    TrainerSettings(
      batchSize: recipe.batchSize, sliceCount: recipe.slices,
      schedule: LearningRateSchedule(
        learningRate: recipe.learningRate, steps: steps,
        warmupSteps: Int(recipe.warmupFraction * Double(steps))),
      adam: AdamHyperparameters(weightDecay: recipe.weightDecay), clipNorm: recipe.clipNorm)
  }
}

extension NetworkSizes {
  /// The sizes with another dropout probability, also that of the attention.
  fileprivate func with(dropout: Float) -> NetworkSizes {
    var sizes = self
    (sizes.encoder.dropoutRate, sizes.encoder.attentionDropoutRate) = (dropout, dropout)
    return sizes
  }
}

extension ExampleSet {
  /// The default number of slices for batches of these sequences.
  fileprivate func usualSlices(batch: Int, workers: Int) -> Int {
    let tokens = examples.reduce(0) { $0 + $1.tokens.count }
    return ReductionTree.defaultSliceCount(
      batch: batch, tokens: batch * tokens / examples.count, workers: workers)
  }

  /// The CRC-32C of the sequences and their targets, in hexadecimal digits.
  var checksum: String {
    var checksum = CRC32C()
    for example in examples {
      example.tokens.withUnsafeBytes { checksum.add($0) }
      example.segmentIDs.withUnsafeBytes { checksum.add($0) }
      Array("\(example.target)".utf8).withUnsafeBytes { checksum.add($0) }
    }
    return String(checksum.value, radix: 16)
  }

  /// Identifies the set: the name of its split, and the checksums of its sequences and of its file.
  ///
  /// The file also contains the correct answers, which `checksum` does not cover for all tasks.
  package var fingerprint: String {
    "\(split.name) \(checksum) \(CheckpointState.checksum(of: path) ?? "")"
  }
}
