import Collectives
import Electra
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Tensors
import Training

/// Everything that decides the result of a fine-tuning; `finetuning.json` of its folder.
package struct FinetuningConfiguration: Codable, Equatable {
  var formatVersion = 1
  package var model: FinetunedFolder.Description
  /// CRC-32C of the encoder's file; empty for new weights.
  package var encoder: String
  /// CRC-32C of the training sequences and what they should be answered with.
  package var data: String
  /// What tells the measured sets from others, which choose the best epoch and are in the results.
  var measured: [String]
  package var recipe: FinetuningRecipe
  /// What a regression's scores are scaled by while it is trained.
  package var targetScale: TargetScale?

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case model
    case encoder = "encoder_checksum"
    case data = "data_checksum"
    case measured = "measured_data"
    case recipe
    case targetScale = "target_scale"
  }

  /// In what a fine-tuning that exists is another one, as a list that names the options; nil when it is
  /// the same.
  package func differences(from existing: FinetuningConfiguration) throws -> String? {
    if existing == self { return nil }
    var parts: [String] = []
    func compare(_ option: String, _ was: String, _ now: String) {
      if was != now { parts.append("\(option) is \(was) there and \(now) here") }
    }
    let (old, new) = (existing.model, model)
    if old.task.name != new.task.name {
      compare("the task", old.task.name, new.task.name)
    } else if old.task.problem != new.task.problem {
      compare("--problem", old.task.problem.rawValue, new.task.problem.rawValue)
    } else if old.task != new.task {
      parts.append("its columns are others (--text, --text2 or --label)")
    }
    if old.labels != new.labels { parts.append("the labels of its training data are others") }
    compare("--head", old.head.rawValue, new.head.rawValue)
    if existing.encoder != encoder {
      if existing.encoder.isEmpty || encoder.isEmpty {
        compare("--scratch", "\(existing.encoder.isEmpty)", "\(encoder.isEmpty)")
      } else {
        parts.append("it began with another encoder than that of --from")
      }
    }
    if existing.data != data {
      parts.append("its training data are others (--data or --train, their columns, or --length)")
    }
    if existing.data == data && existing.targetScale != targetScale {
      parts.append("it learns scores on another scale, as an older version of this program did")
    }
    if existing.measured != measured {
      parts.append(
        "its dev data, or test data with answers, are others (--data, --dev or --test; predict "
          + "answers any file)")
    }
    let (was, now) = (try fields(existing.recipe), try fields(recipe))
    for key in now.keys.sorted() {
      compare(Self.options[key] ?? key, was[key] ?? "", now[key] ?? "")
    }
    return parts.joined(separator: ", ")
  }

  private func fields(_ recipe: FinetuningRecipe) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe))
    return (object as? [String: Any] ?? [:]).mapValues { "\($0)" }
  }

  /// The options by the keys of the recipe that they set.
  private static let options = [
    "max_seq_length": "--length", "train_batch_size": "--batch", "num_train_epochs": "--epochs",
    "learning_rate": "--learning-rate", "layerwise_lr_decay": "--layer-decay",
    "warmup_proportion": "--warmup", "dropout": "--dropout", "slices": "--slices",
    "micro_batch_tokens": "--micro-batch", "seed": "--seed",
  ]
}

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
  ///   - change: applies the user's options to the paper's recipe.
  ///   - workers: lanes of all ranks.
  package init(
    _ request: FinetuningRequest, workers: Int, change: (inout FinetuningRecipe) -> Void
  ) throws {
    let task = request.task
    source = try EncoderSource(request.encoder)
    isScratch = request.isScratch
    var recipe = FinetuningRecipe(task, source.sizes)
    change(&recipe)
    // The number of slices then follows from the data.
    let isFirstStart = recipe.slices == 0
    if isFirstStart { recipe.slices = 1 }
    if let problem = recipe.problem(positions: source.sizes.positionCount) {
      throw UsageError(problem)
    }
    let reader = try ExampleReader(
      task, tokenizer: source.tokenizer, maximumLength: recipe.length,
      emptyLabels: request.emptyLabels)
    train = try reader.read(request.files(.training)[0])
    let labels = train.labels
    func read(_ role: SplitRole) throws -> [ExampleSet] {
      try request.files(role).map { try reader.read($0, labels: labels) }
    }
    dev = try read(.development)
    test = try read(.test)
    if isFirstStart {
      let tokens = train.examples.reduce(0) { $0 + $1.tokens.count }
      recipe.slices = ReductionTree.usualSliceCount(
        batch: recipe.batchSize, tokens: recipe.batchSize * tokens / train.examples.count,
        workers: workers)
    }
    let description = FinetunedFolder.Description(
      task: task, labels: labels, head: request.head, length: recipe.length)
    var sizes = source.sizes
    sizes.encoder.dropoutRate = recipe.dropoutRate
    sizes.encoder.attentionDropoutRate = recipe.dropoutRate
    model = description.model(sizes)
    configuration = FinetuningConfiguration(
      model: description, encoder: isScratch ? "" : source.checksum,
      data: train.checksum,
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
