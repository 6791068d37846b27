import Collectives
import Foundation
import Platform

/// Likely mistakes in launching a run on many hosts, a sentence each.
extension EnvironmentReport {
  /// Likely mistakes on one host, to be written after "on n1".
  static func notes(on ranks: [RankEnvironment]) -> [String] {
    let first = ranks[0]
    let threads = ranks.reduce(0) { $0 + $1.threads }
    var notes: [String] = []
    if ranks.count > 4 {
      notes.append(
        "there are \(ranks.count) ranks; one rank per NUMA domain with more threads needs less "
          + "memory and sends less")
    }
    if first.processors < first.launcherProcessors {
      notes.append(
        "the launcher binds the ranks to \(first.processors) of \(first.launcherProcessors) "
          + "processors; give mpirun --bind-to none, or srun --cpus-per-task")
    }
    if first.cores < min(threads, first.processors) {
      notes.append(
        "\(threads) threads run on the hardware threads of \(first.cores.of("core")); one thread "
          + "per core may be as fast and needs less memory: try fewer --threads")
    }
    return notes
  }

  /// Hosts that are containers, or otherwise emulated, on one machine and share its cores.
  static func crowdWarning(_ hosts: [String], _ threadsPerCore: Double) -> String {
    "some of \(list(hosts)) are on one machine, where up to "
      + String(format: "%.3g", threadsPerCore)
      + " threads share a core; give each host separate cores, or fewer --threads"
  }

  /// Ranks with different numbers of threads, the smallest of which limits the speed; else nil.
  static func threadWarning(_ ranks: [RankEnvironment]) -> String? {
    guard let least = ranks.min(by: { $0.threads < $1.threads }),
      let index = ranks.firstIndex(where: { $0.threads == least.threads }),
      Set(ranks.map(\.threads)).count > 1
    else { return nil }
    return "ranks have \(range(ranks.map(\.threads))) threads; all wait for those with the fewest, "
      + "such as rank \(index) on \(least.host); give every rank the same number of cores"
  }

  /// Threads that idle while others compute one slice more.
  ///
  /// - Parameters:
  ///   - slices: the slices of a step.
  ///   - threads: the threads of each rank.
  /// - Returns: a sentence; nil where less than a tenth of the time is lost, or ranks differ.
  static func idleWarning(slices: Int, threads: [Int]) -> String? {
    let tree = ReductionTree(sliceCount: slices)
    let counts = threads.indices.flatMap { rank in
      let ofRank = tree.slices(of: rank, of: threads.count)
      return (0..<threads[rank]).map {
        ReductionTree.share(ofRank, of: $0, of: threads[rank]).count
      }
    }
    guard let most = counts.max(), Set(threads).count == 1, most > 0 else { return nil }
    let idle = 1 - Double(slices) / Double(counts.count * most)
    guard idle >= 0.1 else { return nil }
    return "\(slices) slices on \(counts.count) threads give a thread \(range(counts)), so "
      + "\(Int(100 * idle)) % of the computing time is lost; use a number of threads that is a "
      + "power of two, or more --slices in a new run"
  }

  /// Ranks that must send several partial sums instead of one.
  ///
  /// A rank has a contiguous range of slices. Where the range is not a subtree of the reduction
  /// tree, it is several subtrees, whose sums travel separately because the order of additions is
  /// fixed.
  ///
  /// - Parameters:
  ///   - slices: the slices of a step.
  ///   - ranks: how many there are.
  ///   - excess: the bytes sent, relative to those of one sum.
  /// - Returns: a sentence; nil where each rank sends one sum.
  static func trafficWarning(slices: Int, ranks: Int, excess: Double) -> String? {
    let tree = ReductionTree(sliceCount: slices)
    let pieces = (0..<ranks).map { ReductionTree.pieces(of: tree.slices(of: $0, of: ranks)).count }
    guard let most = pieces.max(), most > 1 else { return nil }
    return "\(slices) slices on \(ranks) ranks give a rank up to \(most) sums to send, "
      + String(format: "%.2g", excess)
      + " times the bytes of one; a number of ranks that is a power of two is best"
  }

  /// Sums between ranks that are sent in float32 although the exchange is in bfloat16; else nil.
  ///
  /// `senders` is the number of sums that are exchanged: of ranks or, where the ranks of a host add
  /// theirs first, of hosts.
  static func exchangeWarning(_ tree: ReductionTree, senders: Int) -> String? {
    guard let level = tree.roundingLevel, tree.sliceCount > 1 else { return nil }
    let senderLevel = tree.defaultRoundingLevel(ranks: senders)
    let kept = "sums of fewer than \(1 << level) slices stay in float32"
    if senders == 1 {
      return 1 << level < tree.sliceCount
        ? nil
        : "--exchange bfloat16 rounds no gradients: \(kept), and a step has \(tree.sliceCount); "
          + "begin a new run with --exchange-level 0 if it is to be resumed on more ranks"
    }
    guard level > senderLevel else { return nil }
    return "gradients are sent in float32: in this run \(kept), and a rank has sums of "
      + "\(1 << senderLevel); a new run would have --exchange-level \(senderLevel)"
  }
}
