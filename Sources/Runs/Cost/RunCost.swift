import Collectives
import Electra
import Foundation
import Layers
import Platform
import Tensors
import Training

/// The parameters, memory and disk of a pre-training run, computed before it starts.
package struct RunCost {
  package let configuration: PretrainingConfiguration
  let ranks: Int
  /// Worker threads per rank.
  let workers: Int
  package let parameters: Int
  package let needs: ResourceEstimate
  /// The most checkpoints on disk: the newest, the milestones, and the one being written.
  package let checkpoints: Int

  /// - Parameters:
  ///   - configuration: of the run.
  ///   - ranks: how many there are.
  ///   - workers: worker threads per rank.
  ///   - keep: how many of the newest checkpoints are kept.
  ///   - recomputes: whether encoder layers are recomputed in the backward pass.
  package init(
    _ configuration: PretrainingConfiguration, ranks: Int, workers: Int, keep: Int,
    recomputes: Bool
  ) {
    self.configuration = configuration
    self.ranks = ranks
    self.workers = workers
    let model = configuration.makeModel()
    let recipe = configuration.recipe
    parameters = model.layout.parameterCount
    let slice = recipe.batchSize / recipe.slices
    // Evaluation has slices of its own size; the workspace of a worker fits both kinds.
    let largest = max(slice, Evaluator<PretrainingObjective>.sliceSequences) * recipe.length
    var shape = BatchShape(
      tokens: min(max(recipe.microBatchTokens, recipe.length), largest), longest: recipe.length)
    shape.recomputes = recomputes
    shape.arithmetic = configuration.arithmetic
    let masked = recipe.maskedPerSequence * max(1, shape.tokens / recipe.length)
    needs = ResourceEstimate(
      layout: model.layout, arithmetic: configuration.arithmetic,
      partition: Partition(model.layout, regions: model.gradientOrder, rankCount: ranks),
      settings: configuration.trainerSettings, workers: workers,
      activations: MicroBatchPass.capacity(model, shape, masked: masked))
    checkpoints = keep + configuration.milestones.count + 1
  }

  /// The bytes of all checkpoints that are on disk at the same time.
  package var disk: Int { bytes(ofCheckpoints: checkpoints) }

  /// The bytes of `count` checkpoints; at most `Int.max`, since `--keep` may be any large number.
  private func bytes(ofCheckpoints count: Int) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: needs.checkpoint)
    return overflow ? .max : bytes
  }

  /// The model in one line: `tiny ELECTRA, 1,272,705 parameters (discriminator 3 x 128, ...)`.
  ///
  /// `preset` is the name of its preset, nil where it has none.
  func modelSummary(preset: String?) -> String {
    let (model, task) = (configuration.model, configuration.recipe.task)
    func shape(_ encoder: EncoderSizes) -> String {
      "\(encoder.layerCount) x \(encoder.hiddenSize)"
    }
    let name =
      switch task.objective {
      case .electra: "ELECTRA"
      case .electra15: "ELECTRA 15%"
      case .replaceMLM: "Replace MLM"
      case .allTokensMLM: "All-Tokens MLM"
      case .mlm: "masked language model"
      case .mlmRTD: "masked language model and replaced token detection"
      }
    var networks =
      (task.objective.detects ? "discriminator " : "encoder ") + shape(model.discriminator)
    if task.hasGenerator {
      networks += ", generator " + shape(model.generator)
    } else if task.objective.readsSamples {
      networks += ", \(task.generator.rawValue) generator"
    }
    return (preset.map { $0 + " " } ?? "") + "\(name), \(parameters.grouped) parameters "
      + "(\(networks)), vocabulary \(model.vocabularySize.grouped)"
  }

  /// The data and the steps of the current phase in one line.
  ///
  /// - Parameters:
  ///   - examples: the number of training examples.
  ///   - heldOut: the number of held-out examples.
  /// - Returns: a line for the log.
  func dataSummary(examples: Int, heldOut: Int) -> String {
    let recipe = configuration.recipe
    let epochs = Double(recipe.steps * recipe.batchSize) / Double(max(1, examples))
    return "\(examples.grouped) examples of up to \(recipe.length) tokens, "
      + "\(heldOut.grouped) held out; \(recipe.steps.grouped) steps of \(recipe.batchSize) "
      + "sequences = \(String(format: "%.3g", epochs)) epochs"
  }

  /// Why the memory of this host does not suffice for the run; nil where it does.
  ///
  /// `layout` is that of a rank on this host.
  func memoryShortage(_ layout: RankLayout) -> String? {
    let memory = needs.memory * layout.ranksOnHost
    guard let free = HostResources.freeMemory, memory > free else { return nil }
    return "the run needs about \(memory.bytes) of memory on \(hostName()) and \(free.bytes) are "
      + "free; give --recompute or fewer --threads, or a smaller --micro-batch in a new run"
  }

  /// Why the disk of `folder` does not suffice for the run's checkpoints; nil where it does.
  ///
  /// `existing` is the number of checkpoints that are on disk already.
  func diskShortage(folder: String, existing: Int) -> String? {
    let disk = bytes(ofCheckpoints: max(1, checkpoints - existing))
    guard let free = HostResources.freeDisk(at: folder), disk > free else { return nil }
    return "up to \(checkpoints) checkpoints will take \(disk.bytes) more and \(folder) has "
      + "\(free.bytes) free; give a smaller --keep or another --output"
  }
}
