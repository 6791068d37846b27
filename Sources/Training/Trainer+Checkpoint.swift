import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

extension Trainer {
  /// Starts to save weights, moments and the window of metrics; returns when the snapshot is taken.
  ///
  /// Every rank must call it, and none while a save is running. Rank zero writes in the background.
  ///
  /// - Parameters:
  ///   - state: the state of the run after its last step.
  ///   - store: the run's checkpoints, which only rank zero writes.
  ///   - files: further small files of the checkpoint, by name.
  /// - Throws: `TrainerError.replicasDiffer` on every rank if the weights are not equal on all
  ///   ranks; an error of the communication.
  package func beginSave(
    _ state: CheckpointState, into store: CheckpointStore, files: [String: Data]
  ) throws {
    try waitForWeights()
    try expectEqualReplicas(step: state.step)
    var files = files
    files[MetricsWindow.file] = try window.encoded(sliceCount: settings.sliceCount, world)
    saver.begin(state, weights: weights, team: team, into: store, files: files)
  }

  /// Returns the outcome of a finished save, once; nil if there is none or if the save still runs.
  ///
  /// With `waiting`, it waits for the end of a running save. Throws an error of the communication.
  package func endedSave(waiting: Bool) throws -> CheckpointSaver.Outcome? {
    try saver.end(waiting: waiting)
  }

  /// Loads the weights, moments and metrics window of a checkpoint.
  ///
  /// Every rank must call it. Rank zero reads the files and sends the others their parts. An error
  /// on rank zero is thrown on all ranks; weights and moments are then undefined.
  ///
  /// The checkpoint must have the parameters of the model, unless `ofOtherParameters`: then those
  /// that it lacks keep rank zero's weights and get moments of zero, and further ones are ignored.
  package func load(checkpoint folder: String, ofOtherParameters: Bool = false) throws {
    try waitForWeights()
    try world.agree {
      guard world.rank == 0 else { return }
      let file = try ModelTensors(folder: folder)
      if !ofOtherParameters { return try ModelFile.read(file, objective.layout, into: weights) }
      let differences = ModelFile.compare(file, objective.layout) { $0 }
      try ModelFile.expectNone(differences.mismatched, path: file.path)
      try ModelFile.copy(file, objective.layout, into: weights) { $0 }
    }
    try shareWeights()
    try loadMoments(folder + "/" + MomentsFile.fileName, mayLack: ofOtherParameters)
    try loadWindow(folder + "/" + MetricsWindow.file)
  }

  /// Loads the moments of a checkpoint.
  ///
  /// Every rank must call it. Rank zero reads the file part by part and sends each part to its
  /// owner. An error in opening the file, or a tensor that does not fit, is thrown on all ranks.
  /// A missing tensor is such an error too, unless `mayLack`: then its moments are zero.
  private func loadMoments(_ path: String, mayLack: Bool) throws {
    let (layout, moments) = (objective.layout, update.moments)
    let matrices = settings.matrices(of: layout)
    let file = try world.agree {
      world.rank == 0
        ? try MomentsFile(path: path, layout, matrices: matrices, mayLack: mayLack) : nil
    }
    let parts = SavedParts(partition: partition, moments: moments, rank: world.rank)
    let buffer = Storage(count: world.rank == 0 ? partition.largestPart : 0)
    for (vector, moment) in [
      (SavedVector.firstMoment, moments.first), (.secondMoment, moments.second),
    ] {
      try parts.forEach(of: vector) { owner, range, offset in
        let local = moment.base + offset
        if let file {
          let target = owner == 0 ? local : buffer.base
          try file.copy(vector, range, into: target)
          if owner != 0 { try world.send(target, count: range.count, to: owner) }
        } else if owner == world.rank {
          try world.receive(local, count: range.count, from: 0)
        }
      }
    }
  }

  /// Loads the window of metrics; a checkpoint without one leaves it empty.
  private func loadWindow(_ path: String) throws {
    let contents = world.rank == 0 ? FileManager.default.contents(atPath: path) ?? Data() : Data()
    let data = Data(try world.broadcast(Array(contents)))
    window = MetricsWindow()
    if data.isEmpty { return }
    do {
      window = try MetricsWindow(
        data, slices: workers.flatMap(\.slices), of: settings.sliceCount, isFirst: world.rank == 0)
    } catch {
      throw CheckpointError.damaged(file: path, reason: "it is not a window of metrics")
    }
  }

  /// Copies rank zero's weights to all ranks, which must all call it.
  package func shareWeights() throws {
    try world.broadcast(weights.base, count: weights.count)
  }

  /// Compares a checksum of each weight tensor over all ranks, and throws `replicasDiffer`.
  ///
  /// Tensors that are sent in bfloat16 are compared as rounded: that is what ranks compute with. A
  /// fault in the bits that bfloat16 drops is not found, because only the owner has them.
  /// Only a hardware fault or a defect of the reduction can make replicas differ. Without the
  /// check, a difference would grow unnoticed, and a checkpoint has each weight of one rank only.
  func expectEqualReplicas(step: Int) throws {
    if world.size == 1 { return }
    let (weights, parameters, workers) = (weights, objective.layout.parameters, team.count)
    let format = format
    let checksums = Mutex([UInt32](repeating: 0, count: parameters.count))
    team.run { worker in
      for index in stride(from: worker, to: parameters.count, by: workers) {
        let checksum = format.checksum(of: parameters[index].range, of: weights.base)
        checksums.withLock { $0[index] = checksum }
      }
    }
    let all = try world.gather(checksums.withLock { $0 })
    for (rank, checksums) in all.enumerated() {
      guard let index = checksums.indices.first(where: { checksums[$0] != all[0][$0] }) else {
        continue
      }
      throw TrainerError.replicasDiffer(step: step, rank: rank, tensor: parameters[index].name)
    }
  }
}
