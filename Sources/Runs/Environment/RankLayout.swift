import Collectives
import Platform
import Training

/// The processors of a rank's worker threads.
///
/// The processors that the ranks of a host may use, all together and within the container's quota,
/// are divided among the ranks in order. Where there is no quota and a rank has as many threads as
/// its share has processors, each thread is pinned to one of them.
package struct RankLayout {
  /// The processor of each thread; -1 for a thread that is not pinned.
  package let processors: [Int]
  /// The number of ranks on this host.
  let ranksOnHost: Int
  /// The processors that these ranks may use, all together.
  let processorsOnHost: [Int]
  /// Whether this rank is the first of its host.
  let isFirstOnHost: Bool
  /// A note for the log; nil where there is nothing to note.
  package let warning: String?

  /// Divides the processors of this host among its ranks; every rank must call it.
  ///
  /// `threads` is the number that the user gave, nil for the rank's share. A rank has no more
  /// threads than `slices`, its number of slices per step, because others would idle. Throws an
  /// error of communication.
  package init(world: Communicator, threads: Int?, slices: Int) throws {
    let host = try world.onThisHost()
    defer { host.free() }
    ranksOnHost = host.size
    isFirstOnHost = host.rank == 0
    let masks = try host.gather(allowedProcessors().map { Int32($0) })
    let union = Set(masks.flatMap(\.self)).sorted().map { Int($0) }
    let usable = Array(union.prefix(ControlGroups().processorQuota ?? union.count))
    processorsOnHost = usable
    let share = Array(usable[ReductionTree.share(usable.indices, of: host.rank, of: host.size)])
    let fair = max(1, share.count)
    let count = min(threads ?? fair, max(1, slices))
    // With fewer threads than processors, or under a quota, other programs may use the first ones.
    let isWhole = usable.count == union.count && count == share.count
    processors = isWhole ? share : Array(repeating: -1, count: count)
    if host.size > max(1, usable.count) {
      warning = "\(host.size.of("rank")) share \(usable.count.of("core")) on \(hostName())"
    } else if count > fair {
      warning = "\(count) threads share \(fair.of("core"))"
    } else if count < fair && threads == nil {
      warning =
        "\(count) of this rank's \(fair) cores are used, because it has few slices; more --slices "
        + "would use all"
    } else {
      warning = nil
    }
  }
}

extension RankLayout {
  /// The layout for this rank's share of `slices`, the slices of a step on all ranks.
  ///
  /// Otherwise as `init(world:threads:slices:)`.
  package init(world: Communicator, threads: Int?, sharing slices: Int) throws {
    let share = ReductionTree(sliceCount: slices).slices(of: world.rank, of: world.size)
    try self.init(world: world, threads: threads, slices: share.count)
  }

  /// The number of worker threads of all ranks, however many slices a step has; every rank must
  /// call it.
  package static func workers(world: Communicator, threads: Int?) throws -> Int {
    let layout = try RankLayout(world: world, threads: threads, slices: .max)
    return try world.sum([layout.processors.count])[0]
  }
}
