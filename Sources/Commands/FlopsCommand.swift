import ArgumentParser
import Electra
import Foundation
import Models
import Platform
import Reports
import Runs
import Training

/// `electra flops`: the compute, parameters, memory and hours of a run before it starts.
struct FlopsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flops",
    abstract: "Estimates the cost of a run before it starts; without a size, of all sizes.",
    discussion: """
      The paper's count is that of the reference implementation: it counts the backward pass as \
      one forward pass and embedding look-ups as matrix products. The count of products is exact: \
      all matrix products of forward and backward passes.
      """)

  @OptionGroup var recipe: RecipeOptions

  @Option(help: "Tokens of the vocabulary.")
  var vocabularySize = 30_522

  @Option(help: "Ranks of the run.")
  var ranks = 1

  @Option(help: "Worker threads per rank.")
  var threads = 1

  @Option(help: "The number of newest checkpoints that are kept.")
  var keep = PretrainCommand.newestKept

  @Option(
    help: "Tokens per second of the whole run; by default from 75 % of this machine's product rate."
  )
  var tokensPerSecond: Double?

  @Flag(help: "Print a JSON object, or one per size.")
  var json = false

  func validate() throws {
    try expectCounts([
      "--vocabulary-size": vocabularySize, "--ranks": ranks, "--threads": threads, "--keep": keep,
    ])
    if let tokensPerSecond, !(tokensPerSecond > 0 && tokensPerSecond <= 1e15) {
      throw ValidationError(
        "--tokens-per-second must be above 0 and at most 1e15, not \(tokensPerSecond)")
    }
  }

  func run() throws {
    try runOnOneRank {
      if recipe.preset != nil || recipe.config != nil {
        try show(cost(recipe))
      } else {
        try showAll()
      }
    }
  }

  private func cost(_ recipe: RecipeOptions) throws -> RunCost {
    let configuration = try recipe.configuration(
      vocabularySize: vocabularySize, dataLength: .max, ranks: ranks,
      workers: ranks * threads)
    return RunCost(
      configuration, ranks: ranks, workers: threads, keep: keep, recomputes: recipe.recompute)
  }

  /// Prints one line per size.
  private func showAll() throws {
    let costs = try Preset.allCases.map { preset in
      var sized = recipe
      sized.preset = preset
      return (preset, try cost(sized))
    }
    if json {
      for (preset, cost) in costs {
        try StandardOutput.print(
          figures(cost, name: preset.rawValue, electra: electra(preset)).json())
      }
      return
    }
    var table = TextTable([
      ("", .left), ("parameters", .right), ("tokens", .right), ("paper's count", .right),
      ("products", .right), ("products per token", .right),
    ])
    for (preset, cost) in costs {
      let configuration = cost.configuration
      table.append([
        preset.rawValue, cost.parameters.grouped, scientific(Double(configuration.recipe.tokens)),
        scientific(configuration.referenceOperations), scientific(configuration.productOperations),
        scientific(configuration.productsPerToken),
      ])
    }
    for bert in ReferenceBERT.allCases {
      table.append([bert.rawValue, "", "", scientific(bert.operations), "", ""])
    }
    table.lines.forEach(StandardOutput.print)
  }

  private func scientific(_ value: Double) -> String { String(format: "%.3e", value) }

  private func show(_ cost: RunCost) throws {
    let electra = try electra(recipe.preset)
    let figures = figures(
      cost, name: recipe.preset?.rawValue ?? recipe.config ?? "", electra: electra)
    if json { return try StandardOutput.print(figures.json()) }
    let (needs, recipe) = (cost.needs, cost.configuration.recipe)
    let muon =
      figures.muonProducts.map { "Muon         \(scientific($0)) of these operations\n" } ?? ""
    let comparison =
      figures.comparison(steps: electra.recipe.steps).map { "equal cost   \($0)\n" } ?? ""
    StandardOutput.print(
      """
      parameters   \(cost.parameters.grouped)
      tokens       \(scientific(Double(recipe.tokens))): \(recipe.steps.grouped) steps of \
      \(recipe.batchSize) x \(recipe.length)
      operations   \(scientific(figures.products)) in matrix products, \
      \(scientific(figures.productsPerToken)) per token; \(scientific(figures.reference)) by the \
      paper's count
      \(muon)memory       \(needs.memory.bytes) per rank: \(figures.memorySummary)
      sent         \(needs.sent.bytes) per step and rank, on \(ranks.of("rank"))
      disk         \(cost.disk.bytes): \(cost.checkpoints) checkpoints of \(needs.checkpoint.bytes)
      \(comparison)time         \(String(format: "%.1f", figures.hours)) hours at \
      \(Int(figures.tokensPerSecond).grouped) tokens/s\
      \(tokensPerSecond == nil ? ", 75 % of the product rate of this machine" : "")
      """)
  }

  /// The run of the same size with ELECTRA's objective, the steps and masks of its recipe, and Adam.
  ///
  /// `preset` gives the size; nil if it is that of the file of `--config`.
  private func electra(_ preset: Preset?) throws -> PretrainingConfiguration {
    var plain = recipe
    plain.preset = preset
    plain.objective = try ObjectiveOptions.parse(["--objective", "electra"])
    (plain.optimizer, plain.muonRate) = (.adam, nil)
    var configuration = try cost(plain).configuration
    configuration.recipe.task = PretrainingTask(sampling: configuration.recipe.task.sampling)
    return configuration
  }

  private func figures(
    _ cost: RunCost, name: String, electra: PretrainingConfiguration
  ) -> CostFigures {
    let configuration = cost.configuration
    let usual =
      0.75 * MachineSpeed.productRate(configuration.arithmetic) * Double(ranks * threads)
      / configuration.productsPerToken
    return CostFigures(
      cost, name: name, electra: electra, tokensPerSecond: tokensPerSecond ?? usual)
  }
}
