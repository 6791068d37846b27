import ArgumentParser
import Collectives
import Electra
import Foundation
import Layers
import Tensors
import Tokenization
import Training

/// `electra benchmark step`: whole pre-training steps on random tokens.
struct BenchmarkStepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times whole pre-training steps: masking to update, dropout included.",
    discussion: """
      Sequences are full and their tokens random. The peak is what all lanes reach together in \
      products of 4096 x 4096 matrices, measured in the same run; the share counts matrix products \
      alone as work. Works under mpirun too.
      """)

  @OptionGroup var recipe: RecipeOptions

  @Option(help: "Tokens of the vocabulary.")
  var vocabularySize = 30_522

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Steps that are timed, behind two that are not.")
  var rounds = 5

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds must be at least 1, not \(rounds)") }
  }

  func run() throws {
    try runOnAllRanks { world in
      let all = try RankLayout(world: world, threads: threads, slices: .max)
      let workers = try world.sum([all.processors.count])[0]
      let configuration = try recipe.configuration(
        vocabularySize: vocabularySize, dataLength: .max, workers: workers)
      let slices = ReductionTree(sliceCount: configuration.recipe.slices)
        .run(of: world.rank, of: world.size).count
      let layout = try RankLayout(world: world, threads: threads, slices: slices)
      let measurement = try StepMeasurement(
        configuration, recomputes: recipe.recompute, world: world,
        processors: layout.processors, rounds: rounds)
      guard world.rank == 0 else { return }
      if json { try print(measurement.json()) } else { print(measurement.table) }
    }
  }
}

/// What was measured of a configuration's step, over all ranks.
private struct StepMeasurement: Encodable {
  let ranks: Int
  let lanes: Int
  let batch: Int
  let length: Int
  /// The median step.
  let seconds: Double
  let tokensPerSecond: Double
  /// Operations a second of all lanes in large products.
  let peak: Double
  let shareOfPeak: Double
  /// Of all ranks together, in bytes.
  let peakMemory: Int
  let inputShare: Double
  /// Seconds of a step in which buckets travelled, and those in which lanes waited for the reduction
  /// or did its own work.
  let trafficSeconds: Double
  let reductionSeconds: Double
  /// Of rank zero's matrix products in a step: as they were made, and as they were foretold.
  let operations: Double
  let expectedOperations: Double
  /// Milliseconds of a lane of rank zero in a step, by activity.
  let milliseconds: [String: Double]

  private enum CodingKeys: String, CodingKey {
    case ranks, lanes, batch, length, seconds, peak, milliseconds
    case tokensPerSecond = "tokens_per_second"
    case shareOfPeak = "share_of_peak"
    case peakMemory = "peak_memory_bytes"
    case inputShare = "input_share"
    case trafficSeconds = "traffic_seconds"
    case reductionSeconds = "reduction_seconds"
    case operations = "operations"
    case expectedOperations = "expected_operations"
  }

  init(
    _ configuration: PretrainingConfiguration, recomputes: Bool, world: Communicator,
    processors: [Int], rounds: Int
  ) throws {
    let recipe = configuration.recipe
    let trainer = try Self.trainer(
      configuration, recomputes: recomputes, world: world, processors: processors)
    defer { trainer.end() }
    trainer.objective.layout.initialize(trainer.weights, seed: recipe.seed)
    for step in 0..<2 { _ = try trainer.step(step) }
    let reports = try (0..<rounds).map { try trainer.step(2 + $0) }
    // A step of its own for the activities, since taking their times has a price.
    Profile.turnOn()
    let profiled = try trainer.step(2 + rounds)
    let entries = Profile.turnOff()

    ranks = world.size
    lanes = processors.count
    batch = recipe.batchSize
    length = recipe.length
    seconds = reports.map(\.seconds).sorted()[rounds / 2]
    inputShare = reports.map { $0.inputSeconds / $0.seconds }.sorted()[rounds / 2]
    trafficSeconds = reports.map(\.trafficSeconds).sorted()[rounds / 2]
    reductionSeconds = reports.map(\.reductionSeconds).sorted()[rounds / 2]
    tokensPerSecond = Double(recipe.batchSize * recipe.length) / seconds
    peakMemory = try world.sum([MachineSpeed.peakMemory])[0]
    let team = LaneTeam(processors: processors)
    defer { team.end() }
    let own = Int(MachineSpeed.productsPerSecond(team: team, size: 4096))
    peak = Double(try world.sum([own])[0])
    shareOfPeak = configuration.productsPerToken * tokensPerSecond / peak
    operations = entries.values.reduce(0) { $0 + $1.operations }
    let tree = ReductionTree(sliceCount: recipe.slices)
    let share = Double(tree.run(of: world.rank, of: world.size).count) / Double(recipe.slices)
    expectedOperations =
      configuration.productsPerToken * Double(recipe.batchSize * recipe.length) * share
    milliseconds = Self.milliseconds(entries, profiled, lanes: processors.count)
  }

  private static func trainer(
    _ configuration: PretrainingConfiguration, recomputes: Bool, world: Communicator,
    processors: [Int]
  ) throws -> Trainer<PretrainingObjective> {
    let recipe = configuration.recipe
    let special = SpecialTokens(
      padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)
    var objective = configuration.objective(model: configuration.makeModel(), special: special)
    objective.recomputes = recomputes
    if configuration.recipe.task.generator != .transformer {
      objective.sampler = TokenSampler(
        counts: Array(repeating: 1, count: configuration.model.vocabularySize))
    }
    return try Trainer(
      objective: objective, settings: configuration.trainerSettings,
      world: world, processors: processors,
      source: { step, sequences in
        var batch = Batch(step: step, firstSequence: sequences.lowerBound)
        for sequence in sequences {
          let stream = RandomStream(
            seed: recipe.seed, site: RandomStream.site("benchmark"), step: step,
            sequence: sequence)
          let inner = (0..<max(0, recipe.length - 2)).map {
            Int32(5 + stream.number(below: configuration.model.vocabularySize - 5, index: $0))
          }
          let tokens = [special.classification] + inner + [special.separator]
          batch.append(tokens: tokens, types: repeatElement(0, count: tokens.count))
        }
        return batch
      })
  }

  /// What a lane spent on each activity, and what is left of its step: exchange, waiting and the rest.
  private static func milliseconds(
    _ entries: [Activity: Profile.Entry], _ step: Trainer<PretrainingObjective>.StepReport,
    lanes: Int
  ) -> [String: Double] {
    var result: [String: Double] = [:]
    for (activity, entry) in entries {
      result[activity.name, default: 0] += 1000 * entry.seconds / Double(lanes)
    }
    let known = result.values.reduce(0, +)
    result["input"] = 1000 * step.inputSeconds
    result["exchange, waiting and the rest"] = max(
      0, 1000 * (step.seconds - step.inputSeconds) - known)
    return result
  }

  /// For the screen.
  var table: String {
    let total = milliseconds.values.reduce(0, +)
    let lines = milliseconds.sorted { $0.value > $1.value }.map { name, value in
      String(format: "  %9.1f ms %5.1f %%  ", value, 100 * value / total) + name
    }
    return """
      \(ranks) x \(lanes) lanes, \(batch) x \(length): \(Int(tokensPerSecond).grouped) tokens/s, \
      \(String(format: "%.1f", 1000 * seconds)) ms a step, \
      \(String(format: "%.1f", 100 * shareOfPeak)) % of a peak of \
      \(String(format: "%.1f", peak / 1e9)) GFLOP/s, \(peakMemory.bytes) of memory
      \(String(format: "%.1f", 1000 * trafficSeconds)) ms of traffic between ranks, \
      \(String(format: "%.1f", 1000 * reductionSeconds)) ms in which lanes reduced or waited
      a lane's step:
      \(lines.joined(separator: "\n"))
      """
  }
}

extension Activity {
  /// Its name in tables; products by (rows, inner) x (inner, columns).
  fileprivate var name: String {
    switch self {
    case .product(let rows, let columns, let inner):
      "product \(rows) x \(inner) x \(columns)"
    case .attentionProducts: "products of attention"
    case .softmax: "softmax of attention"
    case .normalization: "normalisation, with bias, dropout and residual"
    case .gelu: "GELU"
    case .dropout: "dropout of attention and embeddings"
    case .vocabularySoftmax: "softmax over the vocabulary, sampling"
    case .rows: "look-ups and sums over rows"
    case .merging: "zeroing and merging gradients"
    case .optimizer: "norm and update"
    }
  }
}
