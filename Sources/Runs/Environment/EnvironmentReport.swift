import Collectives
import Electra
import Platform
import Tensors
import Training

/// The hosts, ranks, threads, libraries, network and memory of a run, and likely mistakes of its
/// launch.
package struct EnvironmentReport {
  /// Ranks, threads, hosts and libraries in one line.
  package let summary: String
  /// Pinning, processors and free memory in one line.
  let details: String
  /// Likely mistakes, a sentence each.
  package let warnings: [String]

  /// Gathers the environments of all ranks and measures the network; every rank must call it.
  ///
  /// Memory is compared with the needs of `cost`. Throws an error of communication.
  package init(_ layout: RankLayout, _ cost: RunCost, world: Communicator) throws {
    // The measurement makes the connections whose interfaces `RankEnvironment` lists.
    let speed = world.size > 1 ? try Self.ringSpeed(world) : nil
    self.init(
      try world.gather(json: RankEnvironment(layout, cost)), ringSpeed: speed,
      threadsPerCore: try Runs.threadsPerCore(world, threads: layout.processors.count),
      tree: cost.configuration.trainerSettings.tree, excessTraffic: cost.needs.excessTraffic)
  }

  /// The summary alone, for a job without a `RunCost`; every rank must call it.
  ///
  /// Throws an error of communication.
  static func summary(_ layout: RankLayout, world: Communicator) throws -> String {
    let speed = world.size > 1 ? try ringSpeed(world) : nil
    let ranks = try world.gather(json: RankEnvironment(layout, nil))
    return summary(perHost(ranks), ringSpeed: speed)
  }

  /// Reports on the environments of all ranks.
  ///
  /// - Parameters:
  ///   - ranks: the environment of each rank.
  ///   - ringSpeed: bytes per second around all ranks; nil for one rank.
  ///   - threadsPerCore: the largest value over physical machines (`threadsPerCore`).
  ///   - tree: the slices of a step.
  ///   - excessTraffic: the bytes that a rank sends, relative to those of a number of ranks that is
  ///     a power of two.
  package init(
    _ ranks: [RankEnvironment], ringSpeed: Double?, threadsPerCore: Double,
    tree: ReductionTree, excessTraffic: Double
  ) {
    let perHost = Self.perHost(ranks)
    let hosts = perHost.map { $0[0].host }
    summary = Self.summary(perHost, ringSpeed: ringSpeed)
    details = Self.details(perHost)
    let ofRanks = ranks.indices.flatMap { rank in ranks[rank].notes.map { ("\(rank)", $0) } }
    let ofHosts = perHost.flatMap { ranks in Self.notes(on: ranks).map { (ranks[0].host, $0) } }
    // Several hosts on one machine; ranks of one host have a note of their own
    // (`RankLayout.warning`).
    let isCrowded = threadsPerCore > 1 && ofRanks.isEmpty && hosts.count > 1
    let threads = ranks.map(\.threads)
    let ofAll = [
      isCrowded ? Self.crowdWarning(hosts, threadsPerCore) : nil, Self.threadWarning(ranks),
      Self.idleWarning(slices: tree.sliceCount, threads: threads),
      Self.trafficWarning(slices: tree.sliceCount, ranks: ranks.count, excess: excessTraffic),
      Self.exchangeWarning(tree, senders: Self.isHierarchical(perHost) ? hosts.count : ranks.count),
    ]
    let isAlone = ranks.count == 1
    warnings =
      Self.grouped(ofRanks).map { ranks, text in
        isAlone ? text : "\(ranks.count == 1 ? "rank" : "ranks") \(Self.list(ranks)): " + text
      }
      + Self.grouped(ofHosts).map { hosts, text in "on \(Self.list(hosts)) " + text }
      + ofAll.compactMap(\.self)
  }

  /// Whether the ranks of each host add their gradients first, if consecutive ranks share a host.
  ///
  /// See `Communicator.ranksPerHost`.
  private static func isHierarchical(_ hosts: [[RankEnvironment]]) -> Bool {
    hosts.count > 1 && hosts[0].count > 1 && hosts.allSatisfy { $0.count == hosts[0].count }
  }

  /// The ranks of each host, hosts in the order of their first ranks.
  private static func perHost(_ ranks: [RankEnvironment]) -> [[RankEnvironment]] {
    let hosts = ranks.reduce(into: [String]()) { if !$0.contains($1.host) { $0.append($1.host) } }
    return hosts.map { host in ranks.filter { $0.host == host } }
  }

  /// `2 ranks x 1 thread on 1 host (n1; AMD EPYC, OpenBLAS ..., Open MPI ..., shared memory)`.
  ///
  /// - Parameters:
  ///   - hosts: the ranks of each host.
  ///   - ringSpeed: bytes per second around the ranks; nil for one rank.
  /// - Returns: a line for the log.
  private static func summary(_ hosts: [[RankEnvironment]], ringSpeed: Double?) -> String {
    let ranks = hosts.flatMap(\.self)
    let threads = ranks.map(\.threads)
    let types = Set(ranks.map(\.processorType)).sorted()
    var parts = [types.joined(separator: " and "), MatrixLibrary.summary]
    if let ringSpeed {
      parts += [
        Communicator.libraryVersion, "\(transport(hosts)) at \(Int(ringSpeed).bytes)/s",
      ]
    }
    return "\(ranks.count.of("rank")) x \(range(threads)) "
      + (Set(threads) == [1] ? "thread" : "threads") + " on \(hosts.count.of("host")) "
      + "(\(list(hosts.map { $0[0].host })); \(parts.joined(separator: ", ")))"
  }

  private static func details(_ hosts: [[RankEnvironment]]) -> String {
    let ranks = hosts.flatMap(\.self)
    let processors = hosts.map { $0[0].processors }
    return "threads are \(ranks.allSatisfy(\.isPinned) ? "pinned to cores" : "not pinned"); "
      + "\(range(processors)) \(Set(processors) == [1] ? "processor" : "processors") per host; "
      + "\(ranks.compactMap(\.freeMemory).min()?.bytes ?? "unknown") of memory free on each host"
  }

  /// What carries messages between ranks.
  private static func transport(_ hosts: [[RankEnvironment]]) -> String {
    let interfaces = Set(hosts.joined().flatMap(\.interfaces)).sorted()
    if !interfaces.isEmpty { return "TCP over \(list(interfaces))" }
    return hosts.count == 1 ? "shared memory" : "a network without TCP"
  }

  /// The distinct notes, each with the ranks or hosts that have it, in the order of the first ones.
  private static func grouped(_ notes: [(source: String, text: String)]) -> [([String], String)] {
    notes.reduce(into: [([String], String)]()) { groups, note in
      if let index = groups.firstIndex(where: { $0.1 == note.text }) {
        groups[index].0.append(note.source)
      } else {
        groups.append(([note.source], note.text))
      }
    }
  }

  /// Bytes per second of an all-gather, which passes data around all ranks as a step does.
  private static func ringSpeed(_ world: Communicator) throws -> Double {
    let bytes = 8 << 20
    var start = now()
    // The first round makes the connections; the second is timed.
    for _ in 0..<2 {
      try world.barrier()
      start = now()
      _ = try world.gather([UInt8](repeating: 0, count: bytes / world.size))
    }
    return Double(bytes) * Double(world.size - 1) / Double(world.size) / (now() - start)
  }

  /// `2`, or `1 to 4` where the numbers differ.
  static func range(_ numbers: [Int]) -> String {
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 0)
    return low == high ? "\(low)" : "\(low) to \(high)"
  }

  /// The names; of more than four the first and the last.
  static func list(_ names: [String]) -> String {
    names.count <= 4 ? names.joined(separator: ", ") : "\(names[0]) ... \(names[names.count - 1])"
  }
}
