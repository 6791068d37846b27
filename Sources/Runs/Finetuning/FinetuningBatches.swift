import Collectives
import Corpus
import Finetuning
import Layers
import Tensors
import Training

/// Which training examples each step of one seed takes.
///
/// Every pass over the data has a random order of its own, and batches go on over its end. The examples
/// of a batch are dealt out to its slices, the longest first, each to the slice that has the fewest
/// tokens so far, so that slices are about equally long and no lane waits for another.
package struct FinetuningBatches: Sendable {
  private let train: ExampleSet
  private let recipe: FinetuningRecipe
  private let seed: UInt64

  init(_ train: ExampleSet, _ recipe: FinetuningRecipe, seed: UInt64) {
    (self.train, self.recipe, self.seed) = (train, recipe, seed)
  }

  /// The batch of these sequences of a step.
  func batch(step: Int, sequences: Range<Int>) -> Batch {
    train.batch(
      deal(examples(ofStep: step))[sequences], step: step, firstSequence: sequences.lowerBound)
  }

  /// The lengths of a step's sequences.
  package func lengths(ofStep step: Int) -> [Int] {
    examples(ofStep: step).map { train.examples[$0].tokens.count }
  }

  private func examples(ofStep step: Int) -> [Int] {
    (0..<recipe.batchSize).map {
      let (pass, position) = (step * recipe.batchSize + $0)
        .quotientAndRemainder(dividingBy: train.examples.count)
      return Permutation(count: train.examples.count, seed: seed, stream: UInt64(pass))[position]
    }
  }

  private func deal(_ examples: [Int]) -> [Int] {
    let lengths = examples.map { train.examples[$0].tokens.count }
    let order = examples.indices.sorted {
      lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1]
    }
    let size = recipe.batchSize / recipe.slices
    var slices = [(tokens: Int, examples: [Int])](repeating: (0, []), count: recipe.slices)
    for place in order {
      let open = slices.indices.filter { slices[$0].examples.count < size }
      guard let slice = open.min(by: { slices[$0].tokens < slices[$1].tokens }) else { break }
      slices[slice].tokens += lengths[place]
      slices[slice].examples.append(examples[place])
    }
    return slices.flatMap(\.examples)
  }
}

extension FinetuningPlan {
  package func batches(seed: UInt64) -> FinetuningBatches {
    FinetuningBatches(train, recipe, seed: seed)
  }

  /// The trainer of one seed, whose weights are still to be filled.
  package func trainer(
    seed: UInt64, world: Communicator, processors: [Int]
  ) throws -> Trainer<FinetuningObjective> {
    let scale = configuration.targetScale
    let targets = train.examples.map { scale?.scaled($0.target) ?? $0.target }
    let objective = FinetuningObjective(
      model: model, targets: targets, layerDecay: recipe.layerDecay,
      microBatchTokens: recipe.microBatchTokens, longest: longest, seed: seed)
    let batches = batches(seed: seed)
    return try Trainer(
      objective: objective, settings: trainerSettings, world: world, processors: processors,
      source: { batches.batch(step: $0, sequences: $1) })
  }
}
