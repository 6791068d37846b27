import Collectives
import Corpus
import Finetuning
import Layers
import Models
import Tensors
import Training

/// The training examples of each step of one seed.
///
/// Every epoch has another random order; a batch may span two epochs. The examples of a batch
/// are assigned to its slices greedily, the longest first, each to the slice with the fewest tokens
/// so far, so that slices take about equally long and no worker waits for another. The assignment
/// depends on the data, the recipe and the seed alone.
package struct FinetuningBatches: Sendable {
  private let train: ExampleSet
  private let recipe: FinetuningRecipe
  private let seed: UInt64

  init(_ train: ExampleSet, _ recipe: FinetuningRecipe, seed: UInt64) {
    (self.train, self.recipe, self.seed) = (train, recipe, seed)
  }

  /// The part of a step's batch with these indices of sequences.
  func batch(step: Int, sequences: Range<Int>) -> Batch {
    train.batch(
      assign(examples(ofStep: step))[sequences], step: step, firstSequence: sequences.lowerBound)
  }

  /// The lengths of a step's sequences in tokens, before they are assigned to slices.
  package func lengths(ofStep step: Int) -> [Int] {
    examples(ofStep: step).map { train.examples[$0].tokens.count }
  }

  /// The indices of a step's training examples.
  private func examples(ofStep step: Int) -> [Int] {
    (0..<recipe.batchSize).map {
      let (pass, position) = (step * recipe.batchSize + $0)
        .quotientAndRemainder(dividingBy: train.examples.count)
      return Permutation(count: train.examples.count, seed: seed, stream: UInt64(pass))[position]
    }
  }

  /// The examples in the order of slices: `batchSize / slices` for each slice.
  private func assign(_ examples: [Int]) -> [Int] {
    let lengths = examples.map { train.examples[$0].tokens.count }
    let order = examples.indices.sorted {
      lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1]
    }
    let size = recipe.batchSize / recipe.slices
    var slices = [(tokens: Int, examples: [Int])](repeating: (0, []), count: recipe.slices)
    for index in order {
      let open = slices.indices.filter { slices[$0].examples.count < size }
      guard let slice = open.min(by: { slices[$0].tokens < slices[$1].tokens }) else { break }
      slices[slice].tokens += lengths[index]
      slices[slice].examples.append(examples[index])
    }
    return slices.flatMap(\.examples)
  }
}

extension FinetuningPlan {
  /// The batches of one seed.
  package func batches(seed: UInt64) -> FinetuningBatches {
    FinetuningBatches(train, recipe, seed: seed)
  }

  /// The trainer of one seed, whose weights are not initialized yet.
  ///
  /// Every rank must call it. `processors` has an entry for each worker thread.
  package func trainer(
    seed: UInt64, world: Communicator, processors: [Int]
  ) throws -> Trainer<FinetuningObjective> {
    let scale = configuration.targetScale
    let targets = train.examples.map { scale?.scaled($0.target) ?? $0.target }
    var objective = FinetuningObjective(
      model: model, targets: targets, layerDecay: recipe.layerDecay,
      microBatchTokens: recipe.microBatchTokens, longest: longest, seed: seed)
    objective.arithmetic = recipe.arithmetic
    objective.classWeights = try classWeights()
    let batches = batches(seed: seed)
    return try Trainer(
      objective: objective, settings: trainerSettings, world: world, processors: processors,
      source: { batches.batch(step: $0, sequences: $1) })
  }

  /// Writes the initial weights of one seed: new ones and, unless `isScratch`, the encoder's.
  ///
  /// Every rank must call it; only rank zero reads the encoder. Throws an error of its files on all
  /// ranks.
  package func initialize(_ weights: Storage, seed: UInt64, world: Communicator) throws {
    model.layout.initialize(weights, seed: seed)
    try world.agree {
      if world.rank == 0 && !isScratch { try source.load(into: weights, model) }
    }
  }

  /// The weight of each class in the loss; empty if all are 1.
  ///
  /// Throws `UsageError` for a task without classes, and `FinetuningError.classWeight`.
  func classWeights() throws -> [Double] {
    guard let words = recipe.classWeights else { return [] }
    guard [.classification, .tagging].contains(task.problem) else {
      throw UsageError(
        "--class-weights is for classification and tagging, and \(task.title) is "
          + "\(task.problem.rawValue)")
    }
    return try ClassWeights.weights(
      words, labels: train.labels, targets: train.examples.map(\.target))
  }
}
