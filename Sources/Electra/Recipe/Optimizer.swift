import Layers

/// The optimizer of a run; raw values are those of `--optimizer`.
package enum Optimizer: String, Sendable, Codable, CaseIterable {
  /// Adam with decoupled weight decay for all parameters, as in the reference.
  case adam
  /// Muon for the weight matrices of encoder layers (`ParameterLayout.hiddenMatrices`), Adam for
  /// all other parameters.
  case muon
}

extension PretrainingConfiguration.Recipe {
  /// The default of `muonRate`: with the preset `tiny`, a pilot used 3e-3 beside Adam's 1.5e-3.
  private static let usualMuonRate = 2.0

  /// The learning rate of Muon divided by Adam's; nil if Adam updates all parameters.
  package var muonFactor: Double? {
    fields.optimizer == .muon ? fields.muonRate ?? Self.usualMuonRate : nil
  }

  /// Sets the optimizer.
  ///
  /// Adam is the absence of its key, as in files of earlier versions, and has no rate of Muon.
  package mutating func use(_ optimizer: Optimizer) {
    fields.optimizer = optimizer == .adam ? nil : optimizer
    if optimizer == .adam { fields.muonRate = nil }
  }

  /// What is wrong with the rate of Muon; nil if nothing is.
  var optimizerProblem: String? {
    guard let rate = fields.muonRate else { return nil }
    if fields.optimizer != .muon {
      return "--muon-rate has no effect on Adam; give --optimizer muon too"
    }
    return NumberRange.notNegative.problem("--muon-rate", rate)
  }
}

extension PretrainingConfiguration {
  /// The floating-point operations of Muon's products in a step, over all ranks; 0 for Adam.
  ///
  /// With two training stages, each network is updated in half of the steps.
  package var orthogonalizationPerStep: Double {
    guard recipe.muonFactor != nil else { return 0 }
    let (model, passes) = (makeModel(), recipe.task.scheme.passes)
    return model.layout.hiddenMatrices.reduce(0) { sum, matrix in
      let isGenerators = model.generatorRange.contains(matrix.offset)
      let share = isGenerators ? passes.generator.backward : passes.encoder.backward
      return sum + share * matrix.orthogonalization
    }
  }
}
