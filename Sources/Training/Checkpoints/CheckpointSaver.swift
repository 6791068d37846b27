import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

/// Writes checkpoints in the background, from a snapshot.
///
/// A save blocks training only while each rank copies the weights and moments of its parts. Then
/// the saving thread of each rank sends its copies to rank zero, whose saving thread writes the
/// files. So a checkpoint has the weights of their owners, in float32, even if ranks send each
/// other rounded ones.
///
/// Invariants:
/// - Saving has a communicator of its own. Its messages can neither match those of training nor
///   change the order of training's collective calls.
/// - All ranks go through the same parts in the same order (`SavedParts`), so messages need no
///   tags.
/// - Rank zero receives every part of every save, even after a failed write. A part that nobody
///   receives would block its sender and shift the messages of the next save.
package final class CheckpointSaver: Sendable {
  /// The result of a save on this rank.
  package struct Outcome: Sendable {
    /// The number of steps done at the time of the snapshot.
    package let step: Int
    /// The seconds from the snapshot to the end of the save.
    package let seconds: Double
    /// The reason why there is no checkpoint; nil after a success.
    package let failure: String?
  }

  private let layout: ParameterLayout
  private let partition: Partition
  private let parts: SavedParts
  /// The matrices without second moments.
  private let matrices: [Parameter]
  /// The moments in use, which training changes during a save.
  private let moments: Moments
  /// A duplicate of the communicator of all ranks.
  private let world: Communicator
  private let queue = SerialQueue()
  private let outcome = Mutex<Outcome?>(nil)
  /// The copies that a save reads.
  ///
  /// The main thread writes them while no save runs, and the saving thread reads them. Their pages
  /// are allocated by the first save.
  private let snapshot: (weights: Storage, moments: Moments)

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - matrices: those without second moments (`TrainerSettings.matrices`).
  ///   - partition: the parts of the vector that each rank owns.
  ///   - moments: the moments of this rank's parts.
  ///   - world: all ranks; the saver uses a duplicate.
  /// - Throws: an error of the communication.
  init(
    layout: ParameterLayout, matrices: [Parameter], partition: Partition, moments: Moments,
    world: Communicator
  ) throws {
    self.layout = layout
    self.matrices = matrices
    self.partition = partition
    self.moments = moments
    self.world = try world.duplicate()
    parts = SavedParts(partition: partition, moments: moments, rank: world.rank)
    snapshot = (
      Storage(count: moments.first.count),
      Moments(partition, rank: world.rank, matrices: moments.matrices)
    )
  }

  /// Waits for a running save, ends the thread and frees the communicator.
  ///
  /// Every rank must call it.
  func end() {
    queue.end()
    world.free()
  }

  /// Takes the snapshot and starts a save; no other save may be running.
  ///
  /// Every rank must call it. Training may change weights and moments as soon as it returns.
  func begin(
    _ state: CheckpointState, weights: Storage, team: WorkerTeam, into store: CheckpointStore,
    files: [String: Data]
  ) {
    let start = now()
    let (target, workers) = (snapshot.moments, team.count)
    team.run { [self] worker in
      for (source, target) in [(moments.first, target.first), (moments.second, target.second)] {
        let range = ReductionTree.share(0..<target.count, of: worker, of: workers)
        (target.base + range.lowerBound).update(
          from: source.base + range.lowerBound, count: range.count)
      }
      for bucket in stride(from: worker, to: partition.buckets.count, by: workers) {
        let part = partition.part(bucket, of: world.rank)
        (snapshot.weights.base + moments.offset(of: bucket)).update(
          from: weights.base + part.lowerBound, count: part.count)
      }
    }
    _ = queue.submit { [self] in
      let failure = Timeline.record("checkpoint after step \(state.step)", on: .saver) {
        save(state, into: store, files: files)
      }
      outcome.withLock {
        $0 = Outcome(step: state.step, seconds: now() - start, failure: failure)
      }
    }
  }

  /// Returns the outcome of a finished save, once; nil if there is none or if the save still runs.
  ///
  /// With `waiting`, it waits for the end of a running save. Throws an error of the communication.
  func end(waiting: Bool) throws -> Outcome? {
    if waiting { try queue.wait() }
    return outcome.withLock { outcome in
      defer { outcome = nil }
      return outcome
    }
  }

  /// Runs this rank's part of a save; returns the reason of a failure, nil after a success.
  private func save(
    _ state: CheckpointState, into store: CheckpointStore, files: [String: Data]
  ) -> String? {
    do {
      guard world.rank == 0 else {
        try forEachSavedPart(of: SavedVector.allCases) { _, _ in }
        return nil
      }
      var unreceived = SavedVector.allCases
      do {
        try store.save(state, files: files) { folder in
          var checksums: [String: UInt32] = [:]
          for file in SavedVector.files {
            // `write` receives all parts of these vectors, whether it fails or not.
            unreceived.removeAll { file.vectors.contains($0) }
            checksums[file.name] = try write(file.vectors, folder + "/" + file.name, store.fault)
          }
          return checksums
        }
        return nil
      } catch let error as CollectivesError {
        throw error
      } catch {
        // The other ranks send in any case: receive their parts and discard them.
        try forEachSavedPart(of: unreceived) { _, _ in }
        throw error
      }
    } catch {
      return "\(error)"
    }
  }

  /// Writes vectors to a file while receiving them; receives all of them even if writing fails.
  ///
  /// Returns the CRC-32C of the file.
  private func write(
    _ vectors: [SavedVector], _ path: String, _ fault: @escaping FaultHook
  ) throws -> UInt32 {
    let parameters = layout.parameters
    // A writer that cannot be created must not keep the parts from being received.
    let writer = Result {
      try SafetensorsWriter(
        path: path, tensors: SavedVector.tensors(of: vectors, layout, matrices), fault: fault)
    }
    var failure: (any Error)?
    try forEachSavedPart(of: vectors) { range, floats in
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

  /// Sends every part of the snapshot of `vectors` to rank zero, and calls `body` there with each.
  ///
  /// Parts come in the order of the file, so rank zero needs a buffer for one part only. If `body`
  /// throws, the remaining parts are not received: a caller with a body that can fail must catch.
  private func forEachSavedPart(
    of vectors: [SavedVector], _ body: (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void
  ) throws {
    let buffer = Storage(count: world.rank == 0 ? partition.largestPart : 0)
    for vector in vectors {
      let saved =
        switch vector {
        case .weights: snapshot.weights
        case .firstMoment: snapshot.moments.first
        case .secondMoment: snapshot.moments.second
        }
      try parts.forEach(of: vector) { owner, range, offset in
        if world.rank == 0 {
          if owner == 0 { return try body(range, saved.base + offset) }
          try world.receive(buffer.base, count: range.count, from: owner)
          try body(range, buffer.base)
        } else if owner == world.rank {
          try world.send(saved.base + offset, count: range.count, to: 0)
        }
      }
    }
  }
}
