import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

/// Writes checkpoints beside the training, from a snapshot.
///
/// Every rank copies its own part of the moments, and rank zero the weights; then training goes on. On
/// a thread of its own each rank sends its moments, part by part, over a channel of its own, and rank
/// zero writes what comes. An error in writing does not keep the others from sending.
package final class CheckpointSaver: Sendable {
  /// How a save ended.
  package struct Outcome: Sendable {
    package let step: Int
    /// Seconds from the snapshot to the end.
    package let seconds: Double
    /// Why there is no checkpoint; nil when there is one.
    package let failure: String?
  }

  private let layout: ParameterLayout
  private let partition: Partition
  /// The moments that training goes on with.
  private let moments: Moments
  /// A duplicate of all ranks for saving alone.
  private let world: Communicator
  private let thread = SerialQueue()
  private let outcome = Mutex<Outcome?>(nil)
  /// What training must not change while it is written.
  ///
  /// The main thread fills it while no save is under way, and the saving thread reads it. Memory is
  /// touched at the first save.
  private let snapshot: (weights: Storage, moments: Moments)

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - partition: who owns which moments.
  ///   - moments: those of this rank.
  ///   - world: all ranks, of which the saver takes a duplicate.
  /// - Throws: an error of the communication.
  init(
    layout: ParameterLayout, partition: Partition, moments: Moments, world: Communicator
  ) throws {
    self.layout = layout
    self.partition = partition
    self.moments = moments
    self.world = try world.duplicate()
    // Only rank zero writes weights.
    snapshot = (
      Storage(count: world.rank == 0 ? layout.count : 0), Moments(partition, rank: world.rank)
    )
  }

  /// Ends the thread when a save that is under way has ended, and frees the communicator.
  ///
  /// Every rank must call it.
  func end() {
    thread.end()
    world.free()
  }

  /// Takes the snapshot and begins to write; no other save may be under way.
  func begin(
    _ state: CheckpointState, weights: Storage, team: WorkerTeam, into store: CheckpointStore,
    files: [String: Data]
  ) {
    let start = now()
    let copies = [
      (weights, snapshot.weights), (moments.first, snapshot.moments.first),
      (moments.second, snapshot.moments.second),
    ]
    let workers = team.count
    team.run { worker in
      for (source, target) in copies {
        let range = ReductionTree.share(0..<target.count, of: worker, of: workers)
        (target.base + range.lowerBound).update(
          from: source.base + range.lowerBound, count: range.count)
      }
    }
    _ = thread.submit { [self] in
      let failure = Timeline.record("checkpoint after step \(state.step)", on: .saver) {
        save(state, into: store, files: files)
      }
      outcome.withLock {
        $0 = Outcome(step: state.step, seconds: now() - start, failure: failure)
      }
    }
  }

  /// How the save ended that was under way, once; nil when there is none or it goes on.
  ///
  /// - Parameter waiting: whether to wait for its end.
  func end(waiting: Bool) throws -> Outcome? {
    if waiting { try thread.wait() }
    return outcome.withLock { outcome in
      defer { outcome = nil }
      return outcome
    }
  }

  /// This rank's part of a save. Returns what went wrong, nil when nothing did.
  private func save(
    _ state: CheckpointState, into store: CheckpointStore, files: [String: Data]
  ) -> String? {
    do {
      guard world.rank == 0 else {
        try forEachMomentPart { _, _ in }
        return nil
      }
      var hasReceived = false
      do {
        try store.save(state, files: files) { folder in
          let model = try ModelFile.write(
            snapshot.weights, layout, path: folder + "/model.safetensors", fault: store.fault)
          hasReceived = true
          let moments = try writeMoments(folder + "/optimizer.safetensors", store.fault)
          return ["model.safetensors": model, "optimizer.safetensors": moments]
        }
        return nil
      } catch {
        if !hasReceived { try forEachMomentPart { _, _ in } }
        throw error
      }
    } catch {
      return "\(error)"
    }
  }

  /// Writes all moments as they come; receives all of them even when writing fails.
  private func writeMoments(_ path: String, _ fault: @escaping FaultHook) throws -> UInt32 {
    let parameters = layout.parameters
    let tensors = Self.prefixes.flatMap { prefix in
      parameters.map { (name: prefix + $0.name, shape: $0.shape) }
    }
    let writer = Result {
      try SafetensorsWriter(path: path, tensors: tensors, fault: fault)
    }
    var failure: (any Error)?
    try forEachMomentPart { range, floats in
      guard failure == nil else { return }
      do {
        for parameter in parameters where parameter.range.overlaps(range) {
          let part = parameter.range.clamped(to: range)
          try writer.get().write(floats + (part.lowerBound - range.lowerBound), count: part.count)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return try writer.get().finish()
  }

  /// The names of the moments' tensors begin with these.
  private static let prefixes = ["first_moment.", "second_moment."]

  /// Brings every part of both snapshots of moments to rank zero, in the order of the file, and calls
  /// `body` there.
  private func forEachMomentPart(
    _ body: (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void
  ) throws {
    let buffer = Storage(count: world.rank == 0 ? partition.largestPart : 0)
    try forEachPart { owner, range, offset, isSecond in
      let own = (isSecond ? snapshot.moments.second : snapshot.moments.first).base + offset
      if world.rank == 0 {
        if owner == 0 { return try body(range, own) }
        try world.receive(buffer.base, count: range.count, from: owner)
        try body(range, buffer.base)
      } else if owner == world.rank {
        try world.send(own, count: range.count, to: 0)
      }
    }
  }

  /// Loads the moments of a checkpoint: rank zero reads part by part, the owners receive. An error on
  /// rank zero is thrown on all.
  func loadMoments(_ path: String) throws {
    let file = try world.agree {
      guard world.rank == 0 else { return nil as SafetensorsFile? }
      let file = try SafetensorsFile(path: path)
      for (prefix, parameter) in Self.prefixes.flatMap({ p in layout.parameters.map { (p, $0) } }) {
        let entry = file.entry(prefix + parameter.name)
        guard entry?.shape == parameter.shape, entry?.type == .float32 else {
          throw CheckpointError.otherModel(
            path: path, differences: "\(prefix)\(parameter.name) is missing or misshapen")
        }
      }
      return file
    }
    let buffer = Storage(count: world.rank == 0 ? partition.largestPart : 0)
    try forEachPart { owner, range, offset, isSecond in
      let own = (isSecond ? moments.second : moments.first).base + offset
      if let file {
        let target = owner == 0 ? own : buffer.base
        for parameter in layout.parameters where parameter.range.overlaps(range) {
          let part = parameter.range.clamped(to: range)
          try file.copyFloats(
            of: Self.prefixes[isSecond ? 1 : 0] + parameter.name,
            range: part.lowerBound - parameter.offset..<part.upperBound - parameter.offset,
            into: target + (part.lowerBound - range.lowerBound))
        }
        if owner != 0 { try world.send(target, count: range.count, to: owner) }
      } else if owner == world.rank {
        try world.receive(own, count: range.count, from: 0)
      }
    }
  }

  /// Every part of every bucket in the order of the vector, of the first moment, then of the second:
  /// its owner, its range, and where it begins in this rank's moments, if it is this rank's.
  private func forEachPart(
    _ body: (_ owner: Int, _ range: Range<Int>, _ offset: Int, _ isSecond: Bool) throws -> Void
  ) throws {
    let buckets = partition.buckets.indices.sorted {
      partition.buckets[$0].lowerBound < partition.buckets[$1].lowerBound
    }
    for isSecond in [false, true] {
      for bucket in buckets {
        for owner in 0..<world.size {
          let range = partition.part(bucket, of: owner)
          if range.isEmpty { continue }
          let offset = owner == world.rank ? moments.offset(of: bucket) : 0
          try body(owner, range, offset, isSecond)
        }
      }
    }
  }
}
