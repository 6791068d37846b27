import ArgumentParser
import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// `electra evaluate`: the held-out metrics of a checkpoint.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract:
      "Prints the held-out metrics of the newest checkpoint of a run, or of a given checkpoint.")

  @Argument(help: "A run or a checkpoint.")
  var from: String

  @Option(help: "The folder that prepare wrote.")
  var data: String

  @Option(help: "Held-out examples.")
  var evaluateExamples = 2048

  @OptionGroup var products: ArithmeticOption

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Flag(help: "Print the metrics as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--evaluate-examples": evaluateExamples, "--threads": threads])
  }

  func run() throws {
    try runOnAllRanks { world in
      let data = try world.agree { try ShardSet(folder: self.data) }
      let (checkpoint, weights) = try world.agree { try open(data) }
      var objective = try world.agree {
        try checkpoint.configuration.objective(model: checkpoint.model, data: data)
      }
      objective.arithmetic = products.arithmetic ?? objective.arithmetic
      try selectKernel(objective.arithmetic, world)
      let evaluator = try Evaluator(
        objective, weights: weights, world: world,
        processors: RankLayout(world: world, threads: threads, slices: .max).processors)
      defer { evaluator.end() }
      let count = min(evaluateExamples, data.heldOutCount)
      var line = MetricsLine(step: checkpoint.state.step, split: .heldOut)
      line.append(.examples, Double(count))
      line.append(
        try evaluator.metrics(sequences: count) { _, sequences in
          try data.heldOut(sequences, of: count)
        })
      if world.rank == 0 { show(line) }
    }
  }

  /// Opens the checkpoint and checks that `data` fits its tokenizer and length.
  private func open(_ data: ShardSet) throws -> (CheckpointFolder, Storage) {
    let checkpoint = try CheckpointFolder(from)
    try data.expect(checkpoint.tokenizer, of: from)
    try data.expect(length: checkpoint.configuration.recipe.length)
    guard data.heldOutCount > 0 else {
      throw CorpusError.tooFew(path: self.data, split: "held-out")
    }
    return (checkpoint, try checkpoint.weights())
  }

  private func show(_ line: MetricsLine) {
    if json { return StandardOutput.print(line.json) }
    StandardOutput.print("step \(line.step.grouped)")
    for value in line.values where value.name != MetricName.examples.rawValue {
      let label = MetricName.words(value.name).padding(toLength: 24, withPad: " ", startingAt: 0)
      StandardOutput.print("  \(label) " + String(format: "%8.4f", value.number))
    }
  }
}
