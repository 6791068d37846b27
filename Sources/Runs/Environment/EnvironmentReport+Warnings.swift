import Collectives
import Foundation
import Platform

/// The classic mistakes of starting a run on many hosts, a sentence each.
extension EnvironmentReport {
  /// What is usually a mistake on a host, after the words "on n1".
  static func notes(on ranks: [RankEnvironment]) -> [String] {
    let first = ranks[0]
    let lanes = ranks.reduce(0) { $0 + $1.lanes }
    var notes: [String] = []
    if ranks.count > 4 {
      notes.append(
        "there are \(ranks.count) ranks; one rank a NUMA domain with more lanes needs less memory "
          + "and sends less")
    }
    if first.processors < first.launcherProcessors {
      notes.append(
        "the launcher keeps the ranks to \(first.processors) of \(first.launcherProcessors) "
          + "processors; give mpirun --bind-to none, or srun --cpus-per-task")
    }
    if first.cores < min(lanes, first.processors) {
      notes.append(
        "\(lanes) lanes run on the hardware threads of \(first.cores.of("core")); one lane a core "
          + "may be as fast and needs less memory: try fewer --threads")
    }
    return notes
  }

  /// A word on hosts that are containers, or otherwise emulated, on one machine.
  static func crowdWarning(_ hosts: [String], _ lanesPerCore: Double) -> String {
    "among \(list(hosts)) are some that are one machine, on which up to "
      + String(format: "%.3g", lanesPerCore)
      + " lanes share a core; give each a part of the cores, or fewer --threads"
  }

  /// A word on ranks of which some have fewer lanes than others.
  static func laneWarning(_ lanes: [Int], _ ranks: [RankEnvironment]) -> String? {
    guard let least = lanes.indices.min(by: { lanes[$0] < lanes[$1] }), Set(lanes).count > 1
    else { return nil }
    return "ranks have \(range(lanes)) lanes; all wait for the ones with the fewest, "
      + "such as rank \(least) on \(ranks[least].host); give every rank as many cores"
  }

  /// A word on lanes of equal ranks that have nothing to do while others compute one slice more.
  ///
  /// - Parameters:
  ///   - slices: of a step.
  ///   - lanes: of each rank.
  /// - Returns: nil where less than a tenth of the time is lost.
  static func idleWarning(slices: Int, lanes: [Int]) -> String? {
    let tree = ReductionTree(sliceCount: slices)
    let counts = lanes.indices.flatMap { rank in
      let run = tree.run(of: rank, of: lanes.count)
      return (0..<lanes[rank]).map { ReductionTree.share(run, of: $0, of: lanes[rank]).count }
    }
    guard let most = counts.max(), Set(lanes).count == 1, most > 0 else { return nil }
    let idle = 1 - Double(slices) / Double(counts.count * most)
    guard idle >= 0.1 else { return nil }
    return "\(slices) slices on \(counts.count) lanes give a lane \(range(counts)), so "
      + "\(Int(100 * idle)) % of the computing time is lost; a number of lanes that is a power of two "
      + "does best, or more --slices in a new run"
  }

  /// A word on ranks that send several sums instead of one.
  ///
  /// - Parameters:
  ///   - slices: of a step.
  ///   - ranks: how many there are.
  ///   - excess: how many times the bytes of one sum are sent.
  /// - Returns: nil where each rank sends one.
  static func trafficWarning(slices: Int, ranks: Int, excess: Double) -> String? {
    let tree = ReductionTree(sliceCount: slices)
    let pieces = (0..<ranks).map { ReductionTree.pieces(of: tree.run(of: $0, of: ranks)).count }
    guard let most = pieces.max(), most > 1 else { return nil }
    return "\(slices) slices on \(ranks) ranks give a rank up to \(most) sums to send, "
      + String(format: "%.2g", excess)
      + " times the bytes that one would be; a number of ranks that is a power of two does best"
  }
}
