import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

extension Trainer {
  /// How a save ended.
  package typealias SaveOutcome = CheckpointSaver.Outcome

  /// Begins to save weights and moments after `state.step` steps; returns when a snapshot is taken.
  /// Every rank must call it, when no save is under way. Rank zero writes in the background. The
  /// unfinished window of metrics is saved, too.
  ///
  /// - Throws: `TrainerError.replicasDiffer` on every rank when the weights are not the same on all.
  package func beginSave(
    _ state: CheckpointState, into store: CheckpointStore, files: [String: Data]
  ) throws {
    try waitForWeights()
    try expectEqualReplicas(step: state.step)
    var files = files
    files[MetricsWindow.file] = try window.encoded(slices: settings.sliceCount, world)
    saver.begin(state, weights: weights, team: team, into: store, files: files)
  }

  /// How the save ended that was under way, told once; nil when there is none or it goes on.
  ///
  /// - Parameter waiting: whether to wait for its end.
  package func endedSave(waiting: Bool) throws -> SaveOutcome? {
    try saver.end(waiting: waiting)
  }

  /// Loads weights, moments and window that were saved: rank zero reads, the others receive. Every rank
  /// must call it; an error on rank zero is thrown on all.
  package func load(checkpoint folder: String) throws {
    try waitForWeights()
    try world.agree {
      guard world.rank == 0 else { return }
      try ModelFile.read(folder + "/model.safetensors", objective.layout, into: weights)
    }
    try shareWeights()
    try saver.loadMoments(folder + "/optimizer.safetensors")
    try loadWindow(folder + "/" + MetricsWindow.file)
  }

  /// Continues the window of metrics that was saved; a checkpoint without one leaves it empty.
  private func loadWindow(_ path: String) throws {
    let own = world.rank == 0 ? FileManager.default.contents(atPath: path) ?? Data() : Data()
    let data = Data(try world.broadcast(Array(own)))
    window = MetricsWindow()
    if data.isEmpty { return }
    do {
      window = try MetricsWindow(
        data, own: workers.flatMap(\.slices), of: settings.sliceCount, isFirst: world.rank == 0)
    } catch {
      throw CheckpointError.damaged(file: path, reason: "it is not what was written")
    }
  }

  /// Gives rank zero's weights to all.
  package func shareWeights() throws {
    try world.broadcast(weights.base, count: weights.count)
  }

  /// Compares the weights of all ranks, by a checksum of each tensor: memory and processors have
  /// faults too.
  private func expectEqualReplicas(step: Int) throws {
    if world.size == 1 { return }
    let (weights, parameters, workers) = (weights, objective.layout.parameters, team.count)
    let checksums = Mutex([UInt32](repeating: 0, count: parameters.count))
    team.run { worker in
      for index in stride(from: worker, to: parameters.count, by: workers) {
        let floats = weights[parameters[index].range]
        let checksum = CRC32C.of(
          UnsafeRawBufferPointer(start: floats.base, count: 4 * floats.columns))
        checksums.withLock { $0[index] = checksum }
      }
    }
    let all = try world.gather(checksums.withLock { $0 })
    for (rank, theirs) in all.enumerated() {
      guard let index = theirs.indices.first(where: { theirs[$0] != all[0][$0] }) else { continue }
      throw TrainerError.replicasDiffer(step: step, rank: rank, tensor: parameters[index].name)
    }
  }
}
