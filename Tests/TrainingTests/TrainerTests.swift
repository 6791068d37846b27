import Collectives
import Electra
import Foundation
import Layers
import Synchronization
import Tensors
import TestSupport
import Testing
import Tokenization
import Training

/// Complete training steps on various numbers of ranks and workers.
///
/// The suite runs alone, and under `mpirun` on 2, 3 and 4 ranks. The bytes must always equal those
/// of one worker on one rank.
@Suite(.serialized)
struct TrainerTests {
  static let vocabulary = 43
  private static let special = SpecialTokens(
    padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)

  /// A tiny model with odd widths, so that every kernel has a tail and every parameter needs
  /// padding.
  static func objective(vocabulary: Int = vocabulary) -> PretrainingObjective {
    func sizes(_ width: Int, heads: Int) -> EncoderSizes {
      EncoderSizes(
        hiddenSize: width, layerCount: 2, headCount: heads, intermediateSize: 3 * width)
    }
    let model = ElectraModel(
      ElectraSizes(
        vocabularySize: vocabulary, embeddingSize: 13, positionCount: 24,
        generator: sizes(9, heads: 3), discriminator: sizes(22, heads: 2)))
    let masking = Masking(fraction: 0.15, maximumLength: 24, special: special, seed: 2)
    return PretrainingObjective(
      model: model, masking: masking, discriminatorWeight: 50, microBatchTokens: 30, longest: 24,
      seed: 2)
  }

  /// Sequences of unequal lengths, as a function of step and sequence number.
  static func batch(step: Int, sequences: Range<Int>) -> Batch {
    var batch = Batch(step: step, firstSequence: sequences.lowerBound)
    for sequence in sequences {
      let stream = RandomStream(seed: 5, site: 6, step: step, sequence: sequence)
      let length = 4 + stream.number(below: 20, index: 0)
      let inner = (1...length - 2).map {
        Int32(5 + stream.number(below: vocabulary - 5, index: $0))
      }
      batch.append(tokens: [2] + inner + [3], segmentIDs: (0..<length).map { $0 > 6 ? 1 : 0 })
    }
    return batch
  }

  static let settings = TrainerSettings(
    batchSize: 32, sliceCount: 16,
    schedule: LearningRateSchedule(learningRate: 0.01, steps: 100, warmupSteps: 0),
    adam: AdamHyperparameters(weightDecay: 0.01), clipNorm: 1)

  /// A trainer that has its first weights; the caller must end it.
  static func makeTrainer(
    _ world: Communicator, workers: Int = 2, objective: PretrainingObjective = Self.objective(),
    settings: TrainerSettings = Self.settings, perHost: Int? = nil,
    source: @escaping BatchSource = { Self.batch(step: $0, sequences: $1) }
  ) throws -> Trainer<PretrainingObjective> {
    let trainer = try Trainer(
      objective: objective, settings: settings, world: world,
      processors: Array(repeating: -1, count: workers), ranksPerHost: perHost, source: source)
    objective.layout.initialize(trainer.weights, seed: 3)
    return trainer
  }

  struct Outcome: Equatable {
    var weights: Data
    var norms: [Double]
    var metrics: [Double]
    var heldOut: [Double]
  }

  /// Trains three steps, in each of which the gradient is clipped.
  static func train(
    _ world: Communicator, workers: Int, in arithmetic: Arithmetic, level: Int? = nil,
    perHost: Int? = nil, muon: MuonHyperparameters? = nil
  ) throws -> Outcome {
    var objective = objective()
    objective.arithmetic = arithmetic
    var settings = settings
    (settings.roundingLevel, settings.muon) = (level, muon)
    let trainer = try makeTrainer(
      world, workers: workers, objective: objective, settings: settings, perHost: perHost)
    defer { trainer.end() }
    let norms = try (0..<3).map { try trainer.step($0).gradientNorm }
    // Before weights that were sent in bfloat16 are gathered in float32.
    let heldOut = try trainer.evaluate(sequences: 250) {
      batch(step: $0 + 1000, sequences: $1)
    }.map(\.value)
    try trainer.gatherInFloat32()
    let bytes = UnsafeRawBufferPointer(
      start: trainer.weights.base, count: 4 * trainer.weights.count)
    return Outcome(
      weights: Data(bytes), norms: norms, metrics: try trainer.metrics().map(\.value),
      heldOut: heldOut)
  }

  @Test(arguments: [1, 2, 3, 4, 5], Arithmetic.allCases)
  func ranksAndWorkersDoNotChangeABit(workers: Int, arithmetic: Arithmetic) throws {
    let world = try Communicator.start()
    let reference = try Self.train(.alone(), workers: 1, in: arithmetic)
    let outcome = try Self.train(world, workers: workers, in: arithmetic)
    #expect(reference.norms.allSatisfy { $0 > 1 })
    #expect(outcome == reference)
  }

  /// Levels of single slices, above those of a rank, and of the root, from which nothing is
  /// rounded.
  @Test(arguments: [0, 2, 3, 4], Arithmetic.allCases)
  func anExchangeInBFloat16KeepsItsBitsToo(level: Int, arithmetic: Arithmetic) throws {
    let world = try Communicator.start()
    let reference = try Self.train(.alone(), workers: 1, in: arithmetic, level: level)
    for workers in [1, 2, 3] {
      let outcome = try Self.train(world, workers: workers, in: arithmetic, level: level)
      #expect(outcome == reference, "\(workers) workers")
    }
    // Two or three hosts of two ranks.
    if world.size >= 4 && world.size % 2 == 0 {
      let outcome = try Self.train(
        world, workers: 1, in: arithmetic, level: level, perHost: 2)
      #expect(outcome == reference, "two ranks per host")
    }
    let exact = try Self.train(.alone(), workers: 1, in: arithmetic)
    #expect((exact == reference) == (level == 4))
  }

  @Test
  func trainingLowersTheLoss() throws {
    let world = try Communicator.start()
    let trainer = try Self.makeTrainer(world) { Self.batch(step: $0 % 2, sequences: $1) }
    defer { trainer.end() }
    _ = try trainer.step(0)
    let before = try trainer.metrics()[0].value
    for step in 1..<39 { _ = try trainer.step(step) }
    _ = try trainer.metrics()
    _ = try trainer.step(39)
    #expect(try trainer.metrics()[0].value < before - 5)
  }

  /// Trains a step with `value` as the embedding of a position.
  ///
  /// If the value is large enough to overflow, every slice with a sequence of that length has a
  /// non-finite gradient, on whichever rank it is.
  private static func poisoned(
    _ world: Communicator, workers: Int, by value: Float
  ) throws -> (error: TrainerError?, isUnchanged: Bool) {
    let trainer = try makeTrainer(world, workers: workers)
    defer { trainer.end() }
    let parameters = trainer.objective.layout.parameters
    let table = try #require(parameters.first { $0.name == poisonedTable })
    for column in 0..<table.columns {
      trainer.weights[table].row(poisonedPosition)[column] = value
    }
    let before = (0..<trainer.weights.count).map { trainer.weights.base[$0].bitPattern }
    var found: TrainerError?
    do { _ = try trainer.step(0) } catch let error as TrainerError { found = error }
    try trainer.waitForWeights()
    let after = (0..<trainer.weights.count).map { trainer.weights.base[$0].bitPattern }
    return (found, before == after)
  }

  private static let poisonedTable = "embeddings.position_embeddings.weight"
  private static let poisonedPosition = 21

  @Test(arguments: [1, 3])
  func aGradientThatIsNotFiniteNamesItsFirstSliceBeforeTheUpdate(workers: Int) throws {
    let outcome = try Self.poisoned(Communicator.start(), workers: workers, by: 3e38)
    guard case .diverged(let divergence) = outcome.error, case .slice(let slice) = divergence.origin
    else {
      Issue.record("\(String(describing: outcome.error))")
      return
    }
    let slices = (0..<16).map { Self.batch(step: 0, sequences: 2 * $0..<2 * $0 + 2) }
    let first = slices.firstIndex { $0.lengths.contains { $0 > Self.poisonedPosition } }
    #expect(first.map { $0 > 0 } == true, "the first slice has nothing to do with it")
    #expect(slice.number == first && slice.count == 16 && divergence.step == 0)
    #expect(slice.batch == slices[slice.number])
    #expect(slice.tensors.contains(Self.poisonedTable) && divergence.tensor == slice.tensors[0])
    #expect(slice.losses == ["generator_loss", "discriminator_loss"])
    #expect(divergence.description.contains("in step 1, slice \(slice.number) of 0 to 15"))
    #expect(outcome.isUnchanged)
  }

  @Test
  func weightsThatAreNotFiniteAreNamed() throws {
    let outcome = try Self.poisoned(Communicator.start(), workers: 2, by: .infinity)
    #expect(
      outcome.error
        == .diverged(Divergence(step: 0, tensor: Self.poisonedTable, origin: .weights)))
    #expect(outcome.isUnchanged)
  }

  @Test
  func aRequestToStopAndAnErrorReachEveryRank() throws {
    let world = try Communicator.start()
    let last = world.size - 1
    let trainer = try Self.makeTrainer(world, workers: 1) { step, sequences in
      if step == 1 && sequences.contains(31) { throw BrokenInput() }
      return Self.batch(step: step, sequences: sequences)
    }
    defer { trainer.end() }
    #expect(try trainer.step(0, requests: .init(stop: world.rank == last)).requests.stop)
    #expect(throws: (any Error).self) { try trainer.step(1) }
    #expect(try !trainer.step(2).requests.stop)
  }

  /// Rounds let the watchdog distinguish a long evaluation from one that hangs, and let a rank stop
  /// it.
  @Test
  func anEvaluationMeetsInRoundsAndStopsWhenAsked() throws {
    let world = try Communicator.start()
    let trainer = try Self.makeTrainer(world)
    defer { trainer.end() }
    var rounds = 0
    trainer.watch = { section, part in
      #expect(section == .evaluation)
      if part == "evaluation" { rounds += 1 }
    }
    // Eight slices of 16 sequences for the two workers of each rank, three times.
    let count = 3 * 8 * 16 * world.size
    let batch: BatchSource = { Self.batch(step: $0, sequences: $1) }
    _ = try trainer.evaluator.tally(sequences: count, source: batch)
    #expect(rounds == 3)
    rounds = 0
    #expect(throws: TrainerError.stopped) {
      try trainer.evaluator.tally(
        sequences: count, shouldStop: { rounds == 2 && world.rank == world.size - 1 }, source: batch
      )
    }
    #expect(rounds == 2)
  }

  /// Slices restart the watchdog's time: one step of a large model takes hours on a slow host.
  @Test
  func everySliceOfAStepAndOfAnEvaluationIsReported() throws {
    let world = try Communicator.start()
    let trainer = try Self.makeTrainer(world)
    defer { trainer.end() }
    let slices = Mutex(0)
    trainer.onSlice = { slices.withLock { $0 += 1 } }
    _ = try trainer.step(0)
    let ofStep = try world.sum([slices.withLock { $0 }])
    _ = try trainer.evaluate(sequences: 40) { Self.batch(step: $0, sequences: $1) }
    let ofBoth = try world.sum([slices.withLock { $0 }])
    #expect(ofStep == [16] && ofBoth == [16 + 3])
  }

  /// Makes and ends five trainers in turn, as `finetune --seeds 5` does.
  private static func trainAndEnd() throws {
    let world = try Communicator.start()
    let (threads, communicators) = (threadCount(), Communicator.madeCount)
    for _ in 0..<5 { _ = try train(world, workers: 2, in: .float32) }
    try #require(Communicator.madeCount == communicators)
    // Each had two workers and two queues.
    try #require(threadsFall(below: threads + 5), "\(threadCount()) threads, \(threads) before")
  }

  /// Runs in a separate process, because other tests start threads, too; under mpirun nothing else
  /// runs.
  @Test
  func trainersLeaveNeitherThreadsNorCommunicators() async throws {
    guard ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_SIZE"] == nil else {
      return try Self.trainAndEnd()
    }
    await #expect(processExitsWith: .success) { try Self.trainAndEnd() }
  }

  private struct BrokenInput: Error {}
}
