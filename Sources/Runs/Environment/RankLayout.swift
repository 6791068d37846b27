import Collectives
import Platform
import Training

/// Which processors a rank's lanes run on.
///
/// The processors that the ranks of a host may use, all together and within the container's quota,
/// are shared out among them in order of rank; when there is no quota and a rank's lanes take up its
/// whole share, each is kept to a processor of its own.
package struct RankLayout {
  /// One entry a lane; -1 leaves a lane free to move.
  package let processors: [Int]
  /// How many ranks share this host.
  let ranksOnHost: Int
  /// The processors that these ranks may use, all together.
  let processorsOnHost: [Int]
  /// Whether this rank speaks for its host.
  let isFirstOnHost: Bool
  /// A remark for the log, nil when all is as it should be.
  let warning: String?

  /// - Parameters:
  ///   - threads: the lanes asked for; nil for the rank's fair share.
  ///   - slices: the slices of this rank: more lanes than these would have nothing to do.
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
    // With cores to spare, or a quota of more cores, lanes stay free to move: others may be on the first.
    let isWhole = usable.count == union.count && count == share.count
    processors = isWhole ? share : Array(repeating: -1, count: count)
    if host.size > max(1, usable.count) {
      warning = "\(host.size.of("rank")) share \(usable.count.of("core")) on \(hostName())"
    } else if count > fair {
      warning = "\(count) lanes share \(fair.of("core"))"
    } else if count < fair && threads == nil {
      warning = "\(count) of this rank's \(fair) cores are used; more slices would use all"
    } else {
      warning = nil
    }
  }
}
