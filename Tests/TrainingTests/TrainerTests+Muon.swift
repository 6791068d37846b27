import Collectives
import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// Muon for hidden matrices.
extension TrainerTests {
  private static let muon = MuonHyperparameters(rateFactor: 2, weightDecay: 0.01)

  @Test(arguments: [1, 3], [nil, 2])
  func muonKeepsItsBitsOnAnyRanksAndWorkers(workers: Int, level: Int?) throws {
    let world = try Communicator.start()
    let arithmetic: Arithmetic = level == nil ? .float32 : .bfloat16
    let reference = try Self.train(
      .alone(), workers: 1, in: arithmetic, level: level, muon: Self.muon)
    for perHost in world.size >= 4 && world.size % 2 == 0 ? [1, 2] : [1] {
      let outcome = try Self.train(
        world, workers: workers, in: arithmetic, level: level, perHost: perHost, muon: Self.muon)
      #expect(outcome == reference, "\(perHost) ranks per host")
    }
    let adam = try Self.train(.alone(), workers: 1, in: arithmetic, level: level)
    #expect(adam.weights != reference.weights && adam.norms[0] == reference.norms[0])
  }

  /// The weights after a step, the weights before it, and the moments in a checkpoint.
  private func firstStep(
    _ muon: MuonHyperparameters?, clipsNetworks: Bool = false
  ) throws -> (after: SafetensorsFile, before: Storage, moments: SafetensorsFile) {
    var objective = Self.objective()
    objective.clipsNetworks = clipsNetworks
    var settings = Self.settings
    settings.muon = muon
    let trainer = try Self.makeTrainer(.alone(), objective: objective, settings: settings)
    defer { trainer.end() }
    let before = Storage(count: objective.layout.count)
    objective.layout.initialize(before, seed: 3)
    _ = try trainer.step(0)
    let folder = try TemporaryFolder()
    try trainer.beginSave(
      CheckpointState(step: 1), into: CheckpointStore(runFolder: folder.path), files: [:])
    #expect(try trainer.endedSave(waiting: true)?.failure == nil)
    let checkpoint = folder.path + "/checkpoints/step-00000001/"
    return (
      try SafetensorsFile(path: checkpoint + "model.safetensors"), before,
      try SafetensorsFile(path: checkpoint + "optimizer.safetensors")
    )
  }

  /// Adam's first moments are a tenth of the gradient, Muon's a twentieth.
  @Test
  func aStepOfMuonIsThatOfItsDefinition() throws {
    let (adam, muon) = (try firstStep(nil), try firstStep(Self.muon))
    let layout = Self.objective().layout
    let matrices = layout.hiddenMatrices
    #expect(matrices.count == 6 * 4)
    for parameter in layout.parameters {
      let name = parameter.name
      let after = try muon.after.floats(of: name)
      guard matrices.contains(parameter) else {
        #expect(try after == adam.after.floats(of: name), "\(name)")
        continue
      }
      let gradient = try adam.moments.floats(of: "first_moment." + name).map { $0 * 10 }
      let moment = try muon.moments.floats(of: "first_moment." + name)
      #expect(zip(moment, gradient).allSatisfy { abs($0 - $1 / 20) <= 1e-6 * abs($1) }, "\(name)")
      #expect(muon.moments.entry("second_moment." + name) == nil)
      let memory = Storage(count: moment.count)
      let direction = Tensor(
        base: memory.base, rows: parameter.rows, columns: parameter.columns)
      // Nesterov's average of the first step: 0.95 m + 0.05 g, where m is 0.05 g.
      for (i, m) in moment.enumerated() { direction.base[i] = m.addingProduct(m, 0.95) }
      let scratch = Storage(
        count: NewtonSchulz.scratchCount(rows: parameter.rows, columns: parameter.columns))
      NewtonSchulz.orthogonalize(direction, scratch: scratch.base)
      let size = Float(max(parameter.rows, parameter.columns)).squareRoot()
      let largest = after.indices.reduce(Float(0)) { most, i in
        let w = muon.before[parameter].base[i]
        let expected = w - 0.01 * 2 * (0.2 * size * direction.base[i] + 0.01 * w)
        return max(most, abs(after[i] - expected))
      }
      #expect(largest < 1e-6, "\(name): \(largest)")
      withExtendedLifetime((memory, scratch)) {}
    }
  }

  /// Muon and Adam scale the gradients of each network by its own factor.
  @Test
  func networksAreClippedByNormsOfTheirOwn() throws {
    let together = try firstStep(Self.muon).moments
    let apart = try firstStep(Self.muon, clipsNetworks: true).moments
    var objective = Self.objective()
    objective.clipsNetworks = true
    var (generator, others): ([Double], [Double]) = ([], [])
    for parameter in objective.layout.parameters {
      func norm(_ moments: SafetensorsFile) throws -> Double {
        try moments.floats(of: "first_moment." + parameter.name)
          .reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
      let whole = try norm(together)
      if whole == 0 { continue }
      let ratio = try norm(apart) / whole
      if objective.clipGroups.contains(where: { $0.contains(parameter.offset) }) {
        generator.append(ratio)
      } else {
        others.append(ratio)
      }
    }
    #expect(generator.allSatisfy { abs($0 / generator[0] - 1) < 1e-4 }, "\(generator)")
    #expect(others.allSatisfy { abs($0 / others[0] - 1) < 1e-4 }, "\(others)")
    // Almost the whole norm is the discriminator's, whose loss has the weight 50.
    #expect(generator[0] > 1.01 * others[0], "\(generator[0]), \(others[0])")
  }
}
