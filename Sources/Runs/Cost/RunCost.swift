import Collectives
import Electra
import Foundation
import Layers
import Platform
import Tensors
import Training

/// What a pre-training run costs, known before it is started.
package struct RunCost {
  package let configuration: PretrainingConfiguration
  let ranks: Int
  let lanes: Int
  package let parameters: Int
  package let needs: ResourceEstimate
  /// Checkpoints that are on disk at most: the newest, the milestones, and the one being written.
  package let checkpoints: Int

  /// - Parameters:
  ///   - lanes: lanes a rank.
  ///   - keep: how many of the newest checkpoints are kept.
  ///   - recomputes: whether encoder layers are computed anew in the backward pass.
  package init(
    _ configuration: PretrainingConfiguration, ranks: Int, lanes: Int, keep: Int, recomputes: Bool
  ) {
    self.configuration = configuration
    self.ranks = ranks
    self.lanes = lanes
    let model = configuration.makeModel()
    let recipe = configuration.recipe
    parameters = model.layout.parameterCount
    let slice = recipe.batchSize / recipe.slices
    let largest = max(slice, Evaluator<PretrainingObjective>.sliceSequences) * recipe.length
    var shape = BatchShape(
      tokens: min(max(recipe.microBatchTokens, recipe.length), largest), longest: recipe.length)
    shape.recomputes = recomputes
    let masked = recipe.maskedPerSequence * max(1, shape.tokens / recipe.length)
    needs = ResourceEstimate(
      layout: model.layout,
      partition: Partition(model.layout, regions: model.gradientOrder, rankCount: ranks),
      sliceCount: recipe.slices, workers: lanes,
      activations: MicroBatchPass.capacity(model, shape, masked: masked))
    checkpoints = keep + configuration.milestones.count + 1
  }

  package var disk: Int { checkpoints * needs.checkpoint }

  /// The short form, for the log of a run.
  ///
  /// - Parameter examples: of the training data.
  func summary(examples: Int) -> String {
    let recipe = configuration.recipe
    let epochs = Double(recipe.steps * recipe.batchSize) / Double(max(1, examples))
    return "\(parameters.grouped) parameters, \(recipe.steps.grouped) steps of "
      + "\(recipe.batchSize) sequences: "
      + String(
        format:
          "%.2g epochs of the data, %.2g operations in matrix products (%.2g as the paper counts); ",
        epochs, configuration.productOperations, configuration.referenceOperations)
      + "\(needs.memory.bytes) of memory a rank, \(needs.checkpoint.bytes) a checkpoint"
  }

  /// Whether the memory of this host is short for the run, as a sentence.
  ///
  /// - Parameter layout: of this host.
  func memoryShortage(_ layout: RankLayout) -> String? {
    let memory = needs.memory * layout.ranksOnHost
    guard let free = HostResources.freeMemory, memory > free else { return nil }
    return "the run needs about \(memory.bytes) of memory on \(hostName()) and \(free.bytes) are "
      + "free; give fewer --threads, fewer --slices or a smaller --micro-batch"
  }

  /// Whether the disk is short for the run's checkpoints, as a sentence.
  ///
  /// - Parameter existing: those that are there already.
  func diskShortage(folder: String, existing: Int) -> String? {
    let disk = max(1, checkpoints - existing) * needs.checkpoint
    guard let free = HostResources.freeDisk(at: folder), disk > free else { return nil }
    return "up to \(checkpoints) checkpoints will take \(disk.bytes) more and \(folder) has "
      + "\(free.bytes) free; give a smaller --keep or another --output"
  }
}
