import Collectives
import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// Saves, and the comparison of replicas before them.
extension TrainerTests {
  /// Returns a trainer after its first step.
  private static func begun(
    _ world: Communicator, in arithmetic: Arithmetic = .float32, level: Int? = nil,
    perHost: Int? = nil
  ) throws -> Trainer<PretrainingObjective> {
    var objective = objective()
    objective.arithmetic = arithmetic
    var settings = settings
    settings.roundingLevel = level
    let trainer = try makeTrainer(world, objective: objective, settings: settings, perHost: perHost)
    _ = try trainer.step(0)
    return trainer
  }

  @Test
  func equalReplicasAreSavedByTheFirstRank() throws {
    let world = try Communicator.start()
    let trainer = try Self.begun(world)
    defer { trainer.end() }
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    try trainer.beginSave(CheckpointState(step: 1), into: store, files: [:])
    let saved = try trainer.endedSave(waiting: true)
    #expect(store.steps() == (world.rank == 0 ? [1] : []), "\(saved?.failure ?? "")")
  }

  /// A checkpoint has the weights of their owners in float32, even if ranks send each other rounded
  /// ones; a trainer that loads it goes on with the same bits.
  @Test
  func aSavedTrainerIsLoadedWithItsBits() throws {
    let world = try Communicator.start()
    for perHost in world.size >= 4 && world.size % 2 == 0 ? [1, 2] : [1] {
      let trainer = try Self.begun(world, in: .bfloat16, level: 2, perHost: perHost)
      defer { trainer.end() }
      let folder = try TemporaryFolder()
      try trainer.beginSave(
        CheckpointState(step: 1), into: CheckpointStore(runFolder: folder.path), files: [:])
      #expect(try trainer.endedSave(waiting: true)?.failure == nil)
      let loaded = try Self.begun(world, in: .bfloat16, level: 2, perHost: perHost)
      defer { loaded.end() }
      // A step further: the moments must be those of the checkpoint too.
      _ = try loaded.step(1)
      try loaded.load(checkpoint: folder.path + "/checkpoints/step-00000001")
      for step in 1...2 {
        #expect(try loaded.step(step).gradientNorm == trainer.step(step).gradientNorm)
      }
      try trainer.gatherInFloat32()
      try loaded.gatherInFloat32()
      #expect(
        (0..<trainer.weights.count).allSatisfy {
          trainer.weights.base[$0].bitPattern == loaded.weights.base[$0].bitPattern
        }, "\(perHost) ranks per host")
    }
  }

  /// One bit of one weight of one rank differs.
  ///
  /// In an exchange in bfloat16 only the owner of a matrix has the bits that bfloat16 drops.
  @Test(
    .enabled("needs several ranks: run under mpirun") { try Communicator.start().size > 1 },
    arguments: [
      (Arithmetic.float32, nil, UInt32(0), true), (.float32, 2, 0, true),
      (.bfloat16, 2, 16, true), (.bfloat16, 2, 0, false),
    ])
  func replicasThatDifferAreFoundBeforeASave(
    arithmetic: Arithmetic, level: Int?, bit: UInt32, isFound: Bool
  ) throws {
    let world = try Communicator.start()
    let trainer = try Self.begun(world, in: arithmetic, level: level)
    defer { trainer.end() }
    let folder = try TemporaryFolder()
    let last = world.size - 1
    let parameter = try #require(
      trainer.objective.layout["discriminator.encoder.layer.0.intermediate.dense.weight"])
    // The weights of the step must not arrive after the change.
    try trainer.waitForWeights()
    let fault: UInt32 = world.rank == last ? 1 << bit : 0
    trainer.weights.base[parameter.offset] = Float(bitPattern: Float(1).bitPattern ^ fault)
    func save() throws {
      try trainer.beginSave(
        CheckpointState(step: 2), into: CheckpointStore(runFolder: folder.path), files: [:])
    }
    if isFound {
      #expect(throws: TrainerError.replicasDiffer(step: 2, rank: last, tensor: parameter.name)) {
        try save()
      }
    } else {
      try save()
      #expect(try trainer.endedSave(waiting: true)?.failure == nil)
    }
  }
}
