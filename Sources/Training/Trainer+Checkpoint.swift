import Collectives
import Foundation
import Layers
import Tensors

extension Trainer {
  /// Saves weights and moments after `state.step` steps. Every rank must call it; rank zero writes,
  /// the moments of the others come to it part by part.
  ///
  /// - Returns: nil, or why rank zero could not write; training can go on.
  package func save(
    _ state: CheckpointState, into store: CheckpointStore, files: [String: Data]
  ) throws -> String? {
    var failure = ""
    if world.rank == 0 {
      do {
        try store.save(state, files: files) { folder in
          try ModelFile.write(weights, objective.layout, path: folder + "/model.safetensors")
          try writeMoments(folder + "/optimizer.safetensors")
          return ["model.safetensors", "optimizer.safetensors"]
        }
      } catch {
        failure = "\(error)"
        if !didSendMoments { try drainMoments() }
      }
      didSendMoments = false
    } else {
      try forEachMomentPart { _, _, _ in }
    }
    let verdict = String(decoding: try world.broadcast(Array(failure.utf8)), as: UTF8.self)
    return verdict.isEmpty ? nil : verdict
  }

  /// Receives what the other ranks send, for nobody.
  private func drainMoments() throws { try forEachMomentPart { _, _, _ in } }

  /// Streams all moments into a file. An error in writing does not keep other ranks from sending.
  private func writeMoments(_ path: String) throws {
    let parameters = objective.layout.parameters
    let tensors = ["first_moment.", "second_moment."].flatMap { prefix in
      parameters.map { (name: prefix + $0.name, shape: $0.shape) }
    }
    var failure: (any Error)?
    var writer: SafetensorsWriter?
    do { writer = try SafetensorsWriter(path: path, tensors: tensors, metadata: [:]) } catch {
      failure = error
    }
    didSendMoments = true
    try forEachMomentPart { range, floats, _ in
      guard failure == nil else { return }
      do {
        for parameter in parameters where parameter.range.overlaps(range) {
          let part = parameter.range.clamped(to: range)
          try writer?.write(floats + (part.lowerBound - range.lowerBound), count: part.count)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    try writer?.finish()
  }

  /// Brings every part of both moments to rank zero, in the order of the vector, and calls `body`
  /// there with the part's range, its floats, and whether they are the second moment's.
  private func forEachMomentPart(
    _ body: (Range<Int>, UnsafeMutablePointer<Float>, Bool) throws -> Void
  ) throws {
    try forEachPart { owner, range, offset, isSecond, buffer in
      let own = (isSecond ? reducer.secondMoment : reducer.firstMoment).base + offset
      if world.rank == 0 {
        if owner == 0 { return try body(range, own, isSecond) }
        try world.receive(buffer.base, count: range.count, from: owner)
        try body(range, buffer.base, isSecond)
      } else if owner == world.rank {
        try world.send(own, count: range.count, to: 0)
      }
    }
  }

  /// Loads weights and moments that `save` wrote: rank zero reads, the others receive. Every rank
  /// must call it; an error on rank zero is thrown on all.
  package func load(checkpoint folder: String) throws {
    let layout = objective.layout
    let moments = world.rank == 0 ? (0..<2).map { _ in Storage(count: layout.count) } : []
    try world.agree {
      guard world.rank == 0 else { return }
      try ModelFile.read(folder + "/model.safetensors", layout, into: weights)
      let path = folder + "/optimizer.safetensors"
      let file = try SafetensorsFile(path: path)
      for (prefix, storage) in zip(["first_moment.", "second_moment."], moments) {
        for parameter in layout.parameters {
          guard file.entry(prefix + parameter.name)?.shape == parameter.shape else {
            throw CheckpointError.otherModel(
              path: path, differences: "\(prefix)\(parameter.name) is missing or misshapen")
          }
          try file.copyFloats(
            of: prefix + parameter.name, into: storage.base + parameter.offset)
        }
      }
    }
    try shareWeights()
    try forEachPart { owner, range, offset, isSecond, _ in
      let own = (isSecond ? reducer.secondMoment : reducer.firstMoment).base + offset
      if world.rank == 0 {
        let source = moments[isSecond ? 1 : 0].base + range.lowerBound
        if owner == 0 { return own.update(from: source, count: range.count) }
        try world.send(source, count: range.count, to: owner)
      } else if owner == world.rank {
        try world.receive(own, count: range.count, from: 0)
      }
    }
  }

  /// Gives rank zero's weights to all.
  package func shareWeights() throws {
    try world.broadcast(weights.base, count: weights.count)
  }

  /// Every part of every bucket in the order of the vector, of the first moment, then of the second.
  private func forEachPart(
    _ body: (
      _ owner: Int, _ range: Range<Int>, _ offset: Int, _ isSecond: Bool, _ buffer: Storage
    ) throws -> Void
  ) throws {
    let partition = reducer.exchange.partition
    let buckets = partition.buckets.indices.sorted {
      partition.buckets[$0].lowerBound < partition.buckets[$1].lowerBound
    }
    let buffer = Storage(count: Partition.bucketSize + ParameterLayout.blockSize)
    for isSecond in [false, true] {
      for bucket in buckets {
        for owner in 0..<world.size {
          let range = partition.part(bucket, of: owner)
          if range.isEmpty { continue }
          let offset = owner == world.rank ? reducer.momentOffset(bucket) : 0
          try body(owner, range, offset, isSecond, buffer)
        }
      }
    }
  }
}
