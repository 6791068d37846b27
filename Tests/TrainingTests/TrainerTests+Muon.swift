import Collectives
import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// Muon for hidden matrices.
extension TrainerTests {
  private static let muon = MuonHyperparameters(learningRateFactor: 2, weightDecay: 0.01)

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
    _ muon: MuonHyperparameters?
  ) throws -> (after: SafetensorsFile, before: Storage, moments: SafetensorsFile) {
    let objective = Self.objective()
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
}
