import Electra
import Layers
import Tensors
import Testing
import Training

/// The model against an independent implementation in float64.
///
/// Equal weights, masked positions and uniform draws give equal losses, activations, gradients and
/// trajectories. Tolerances are relative and allow for float32 rounding. They hold in bfloat16 too:
/// the reference rounds factors at the same places, and rounding-controls.py explains why equal
/// values are rounded, and shows the error of each rounding that is left out.
@Suite("Oracle")
struct OracleTests {
  /// The results of one step.
  private struct Result {
    var outcomes: [VocabularyOutcome] = []
    var generatorLoss = 0.0
    var discriminatorLoss = 0.0
    var activations: [String: [Float]] = [:]
    let gradient: Storage
  }

  private static func run(
    _ oracle: OracleCase, _ model: ElectraModel, _ step: OracleStep, weights: Storage,
    generatorShare: Float = 1, discriminatorShare: Float? = nil
  ) -> Result {
    let gradient = Storage(count: model.layout.count)
    var result = Result(gradient: gradient)
    let pass = PassContext(
      batch: step.batch, weights: Weights(weights, arithmetic: oracle.arithmetic),
      gradient: gradient, seed: nil)
    let arena = Arena(capacity: MicroBatchPass.capacity(model, pass.shape))
    let microBatch = MicroBatchPass(model, step.batch, step.masked, pass: pass, arena: arena)
    let vocabulary = model.sizes.vocabularySize
    result.outcomes = microBatch.generate(
      draws: { .gumbel(.given(step.uniform.base + $0 * vocabulary)) },
      weight: generatorShare / Float(step.masked.positions.count),
      inspect: { network, head in
        result.activations.merge(Self.activations("generator", network)) { $1 }
        if oracle.arithmetic == .float32 {
          result.activations["mlm_logits"] = logits(head.norm.output.values, model, weights)
        }
      })
    let masked = Double(step.masked.positions.count)
    result.generatorLoss = result.outcomes.reduce(0) { $0 + Double($1.loss) } / masked
    let weight = (discriminatorShare ?? oracle.info.discWeight) / Float(step.batch.tokenCount)
    let outcome = microBatch.discriminate(step.corrupted, weight: weight) { network in
      result.activations.merge(Self.activations("discriminator", network)) { $1 }
    }
    result.discriminatorLoss = outcome.loss / Double(step.batch.tokenCount)
    result.activations["rtd_logits"] = outcome.logits
    return result
  }

  private static func activations(
    _ name: String, _ network: Network.Activations
  ) -> [String: [Float]] {
    let encoder = network.encoder
    var result = [
      name + "_encoder_input": values(network.input.values),
      name + "_encoder": values(encoder.output(encoder.layers.count - 1).values),
    ]
    // In bfloat16 later layers overwrite the values.
    if case .float32 = network.input.operand {
      result[name + "_layer0"] = values(encoder.output(0).values)
    }
    return result
  }

  private static func values(_ tensor: Tensor) -> [Float] {
    Array(UnsafeBufferPointer(start: tensor.base, count: tensor.count))
  }

  /// The logits, which the head overwrites with their gradient.
  private static func logits(_ hidden: Tensor, _ model: ElectraModel, _ weights: Storage) -> [Float]
  {
    guard let word = model.layout["embeddings.word_embeddings.weight"],
      let bias = model.layout["generator_lm_head.bias"]
    else { return [] }
    let storage = Storage(count: hidden.rows * word.rows)
    let result = Tensor(base: storage.base, rows: hidden.rows, columns: word.rows)
    result.multiply(hidden.plain, weights[word].transposed)
    result.addToRows(weights[bias])
    return values(result)
  }

  /// The largest difference relative to the largest expected entry, or to `floor` if that is
  /// larger.
  private static func error(_ actual: [Float], _ expected: [Float], floor: Double) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.reduce(floor) { max($0, Double(abs($1))) }
    return zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) } / scale
  }

  private static func range(_ storage: Storage, _ parameter: Parameter) -> [Float] {
    values(storage[parameter])
  }

  @Test
  func thereAreFixtures() throws {
    #expect(try !OracleCase.all().isEmpty, "no fixture in \(OracleCase.folder)")
  }

  @Test(arguments: try OracleCase.all())
  func lossesSamplesAndActivationsAgree(oracle: OracleCase) throws {
    let model = oracle.model
    let step = try OracleStep(oracle, step: 0)
    let weights = try oracle.vector("param.", model.layout)
    let result = Self.run(oracle, model, step, weights: weights)
    let expected = oracle.info.steps[0]
    #expect(result.outcomes.map(\.sample) == step.sampled)
    #expect(abs(result.generatorLoss / expected.mlmLoss - 1) < 1e-5)
    #expect(abs(result.discriminatorLoss / expected.rtdLoss - 1) < 1e-5)
    for (name, values) in result.activations {
      var reference = try oracle.file.floats(of: "step0.act." + name)
      if name != "mlm_logits" {
        reference = oracle.tokens(
          reference, batch: step.batch, width: values.count / step.batch.tokenCount)
      }
      #expect(Self.error(values, reference, floor: 0) < 1e-4, "\(name)")
    }
  }

  @Test(arguments: try OracleCase.all())
  func everyGradientAgrees(oracle: OracleCase) throws {
    let model = oracle.model
    let step = try OracleStep(oracle, step: 0)
    let weights = try oracle.vector("param.", model.layout)
    let floor = 1e-4 * oracle.info.steps[0].gradNorm
    let whole = Self.run(oracle, model, step, weights: weights).gradient
    let expected = try oracle.vector("step0.grad.", model.layout)
    for parameter in model.layout.parameters {
      let error = Self.error(
        Self.range(whole, parameter), Self.range(expected, parameter), floor: floor)
      #expect(error < 1e-4, "\(parameter.name)")
    }
    for (prefix, shares) in [("step0.grad_mlm.", (1, 0)), ("step0.grad_rtd.", (0, 1))] {
      let part = Self.run(
        oracle, model, step, weights: weights, generatorShare: Float(shares.0),
        discriminatorShare: Float(shares.1)
      ).gradient
      for parameter in model.layout.parameters where parameter.name.hasPrefix("embeddings.") {
        let reference = try oracle.file.floats(of: prefix + parameter.name)
        let error = Self.error(Self.range(part, parameter), reference, floor: floor / 50)
        #expect(error < 1e-4, "\(prefix)\(parameter.name)")
      }
    }
  }

  @Test(arguments: try OracleCase.all())
  func theTrajectoryAgrees(oracle: OracleCase) throws {
    let model = oracle.model
    let weights = try oracle.vector("param.", model.layout)
    let settings = oracle.info.optimizer
    let optimizer = AdamOptimizer(
      AdamHyperparameters(
        beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.eps,
        weightDecay: settings.weightDecay),
      layout: model.layout,
      learningRateFactors: Array(repeating: 1, count: model.layout.parameters.count))
    let moments = (Storage(count: model.layout.count), Storage(count: model.layout.count))
    for (index, expected) in oracle.info.steps.enumerated() {
      let step = try OracleStep(oracle, step: index)
      let result = Self.run(oracle, model, step, weights: weights)
      #expect(result.outcomes.map(\.sample) == step.sampled)
      let loss = result.generatorLoss + Double(oracle.info.discWeight) * result.discriminatorLoss
      #expect(abs(loss / expected.loss - 1) < 1e-5)
      let norm = sumOfSquares(result.gradient.base, count: model.layout.count).squareRoot()
      #expect(abs(norm / expected.gradNorm - 1) < 1e-4)
      optimizer.update(
        0..<model.layout.count,
        AdamState(
          weights: weights.base, gradient: result.gradient.base, firstMoment: moments.0.base,
          secondMoment: moments.1.base),
        gradientScale: Float(min(1, settings.clipGlobalNorm / norm)),
        learningRate: settings.lr[index])
    }
    let last = oracle.info.steps.count - 1
    let after = try oracle.vector("step\(last).after.", model.layout)
    for parameter in model.layout.parameters {
      let error = Self.error(
        Self.range(weights, parameter), Self.range(after, parameter), floor: 0.01)
      #expect(error < 1e-4, "\(parameter.name)")
    }
  }
}
