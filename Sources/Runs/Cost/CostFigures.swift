import Electra
import Platform
import Training

/// The figures of a run before it starts: the output of `electra flops`; sizes are in bytes.
package struct CostFigures: Encodable {
  let name: String
  let parameters: Int
  let tokens: Int
  package let reference: Double
  package let products: Double
  package let productsPerToken: Double
  /// The part of `products` that is Muon's; nil for Adam.
  package let muonProducts: Double?
  let memory: Int
  let weights: Int
  let packedWeights: Int
  let moments: Int
  let gradients: Int
  let activations: Int
  let received: Int
  let orthogonalization: Int
  let snapshot: Int
  let program: Int
  let sentPerStep: Int
  let checkpoint: Int
  let disk: Int
  package let tokensPerSecond: Double
  package let hours: Double
  /// Steps that cost as much as the ELECTRA run, by each count; nil for ELECTRA itself.
  package let stepsOfEqualProducts: Int?
  package let stepsOfEqualReference: Int?

  enum CodingKeys: String, CodingKey {
    case name, parameters, tokens, memory, weights, moments, gradients, activations, received
    case orthogonalization, snapshot, program, checkpoint, disk, hours
    case reference = "reference_operations"
    case products = "product_operations"
    case productsPerToken = "products_per_token"
    case muonProducts = "muon_operations"
    case packedWeights = "packed_weights"
    case sentPerStep = "sent_per_step"
    case tokensPerSecond = "tokens_per_second"
    case stepsOfEqualProducts = "steps_of_equal_products"
    case stepsOfEqualReference = "steps_of_equal_reference"
  }

  /// The figures of `cost`.
  ///
  /// - Parameters:
  ///   - cost: of the run.
  ///   - name: of the size or the file of the configuration.
  ///   - electra: the same run with ELECTRA's objective and Adam.
  ///   - tokensPerSecond: of the whole run.
  package init(
    _ cost: RunCost, name: String, electra: PretrainingConfiguration, tokensPerSecond: Double
  ) {
    let (needs, configuration) = (cost.needs, cost.configuration)
    (self.name, parameters) = (name, cost.parameters)
    (tokens, productsPerToken) = (configuration.recipe.tokens, configuration.productsPerToken)
    reference = configuration.referenceOperations
    products = configuration.productOperations
    muonProducts = configuration.recipe.muonFactor.map { _ in
      configuration.orthogonalizationPerStep * Double(configuration.recipe.steps)
    }
    (memory, weights, packedWeights) = (needs.memory, needs.weights, needs.packedWeights)
    (moments, gradients, activations) = (needs.moments, needs.gradients, needs.activations)
    (received, snapshot, program) = (needs.received, needs.snapshot, ResourceEstimate.program)
    orthogonalization = needs.orthogonalization
    (sentPerStep, checkpoint, disk) = (needs.sent, needs.checkpoint, cost.disk)
    self.tokensPerSecond = tokensPerSecond
    hours = Double(tokens) / tokensPerSecond / 3600
    let isElectra = electra == configuration
    stepsOfEqualProducts =
      isElectra ? nil : configuration.steps(asCostlyAs: electra) { $0.productOperations }
    stepsOfEqualReference =
      isElectra ? nil : configuration.steps(asCostlyAs: electra) { $0.referenceOperations }
  }

  /// The memory of a rank by kind.
  package var memorySummary: String {
    let optional = ["packed weights", "orthogonalization"]
    return [
      ("weights", weights), ("packed weights", packedWeights), ("moments", moments),
      ("gradients", gradients), ("activations", activations), ("received", received),
      ("orthogonalization", orthogonalization), ("snapshot", snapshot), ("program", program),
    ].filter { $0.1 > 0 || !optional.contains($0.0) }.map { "\($0.1.bytes) \($0.0)" }.joined(
      separator: " + ")
  }

  /// For another objective than ELECTRA's, a sentence about equal cost; nil for ELECTRA itself.
  ///
  /// `steps` are those of the run of ELECTRA.
  package func comparison(steps: Int) -> String? {
    guard let stepsOfEqualProducts, let stepsOfEqualReference else { return nil }
    return "\(steps.grouped) steps of electra cost as much as \(stepsOfEqualProducts.grouped) of "
      + "these in products, or \(stepsOfEqualReference.grouped) by the paper's count"
  }
}
