import Collectives
import Electra
import Platform
import Tensors
import Training

/// The hosts, ranks, threads, network, processors and memory of a run, and likely mistakes in its start.
package struct EnvironmentReport {
  /// For the log.
  package let summary: String
  /// Sentences for the log.
  package let warnings: [String]

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - layout: of this rank.
  ///   - cost: what the run needs.
  ///   - world: all ranks.
  /// - Throws: an error of communication.
  package init(_ layout: RankLayout, _ cost: RunCost, world: Communicator) throws {
    // It makes the connections whose interfaces are then listed.
    let speed = world.size > 1 ? try Self.ringSpeed(world) : nil
    self.init(
      try RankEnvironment(layout, cost).gathered(world), ringSpeed: speed,
      lanesPerCore: try Runs.lanesPerCore(world, lanes: layout.processors.count),
      slices: cost.configuration.recipe.slices, excessTraffic: cost.needs.excessTraffic)
  }

  /// - Parameters:
  ///   - ranks: the environment of each.
  ///   - ringSpeed: bytes a second that go around them.
  ///   - lanesPerCore: the largest value over physical machines, of which one may emulate several hosts.
  ///   - slices: of the recipe.
  ///   - excessTraffic: how many times the bytes are sent that would do on as many ranks if they were a
  ///     power of two.
  package init(
    _ ranks: [RankEnvironment], ringSpeed: Double?, lanesPerCore: Double, slices: Int,
    excessTraffic: Double
  ) {
    let hosts = ranks.reduce(into: [String]()) { if !$0.contains($1.host) { $0.append($1.host) } }
    let perHost = hosts.map { host in ranks.filter { $0.host == host } }
    summary = Self.summary(perHost, ringSpeed: ringSpeed)
    let ofRanks = ranks.indices.flatMap { rank in ranks[rank].notes.map { ("\(rank)", $0) } }
    let ofHosts = perHost.flatMap { ranks in Self.notes(on: ranks).map { (ranks[0].host, $0) } }
    let isCrowded = lanesPerCore > 1 && ofRanks.isEmpty && hosts.count > 1
    let lanes = ranks.map(\.lanes)
    let ofAll = [
      isCrowded ? Self.crowdWarning(hosts, lanesPerCore) : nil, Self.laneWarning(lanes, ranks),
      Self.idleWarning(slices: slices, lanes: lanes),
      Self.trafficWarning(slices: slices, ranks: ranks.count, excess: excessTraffic),
    ]
    let isAlone = ranks.count == 1
    warnings =
      Self.grouped(ofRanks).map { ranks, text in
        isAlone ? text : "\(ranks.count == 1 ? "rank" : "ranks") \(Self.list(ranks)): " + text
      }
      + Self.grouped(ofHosts).map { hosts, text in "on \(Self.list(hosts)) " + text }
      + ofAll.compactMap(\.self)
  }

  /// Hosts, ranks, network, processors and memory in one line.
  ///
  /// - Parameters:
  ///   - hosts: the ranks of each.
  ///   - ringSpeed: bytes a second around the ranks; nil for one rank.
  /// - Returns: a line for the log.
  private static func summary(_ hosts: [[RankEnvironment]], ringSpeed: Double?) -> String {
    let ranks = hosts.flatMap(\.self)
    let lanes = ranks.map(\.lanes)
    var parts = [
      "\(hosts.count.of("host")) (\(list(hosts.map { $0[0].host })))",
      "\(ranks.count.of("rank")) x \(range(lanes)) "
        + (Set(lanes) == [1] ? "lane, " : "lanes, ")
        + (ranks.allSatisfy(\.isPinned) ? "each on a core of its own" : "free to move"),
    ]
    if let ringSpeed {
      parts.append(
        "\(transport(hosts)), \(Int(ringSpeed).bytes)/s around the ranks "
          + "(\(Communicator.libraryVersion))")
    }
    let types = Set(ranks.map(\.processorType)).sorted()
    let processors = hosts.map { $0[0].processors }
    parts += [
      "\(types.joined(separator: " and ")), \(range(processors)) "
        + (Set(processors) == [1] ? "processor" : "processors")
        + " a host, \(MatrixLibrary.description)",
      "\(ranks.compactMap(\.freeMemory).min()?.bytes ?? "?") of memory free on each host",
    ]
    return "found " + parts.joined(separator: "; ")
  }

  /// What carries the sums from rank to rank.
  private static func transport(_ hosts: [[RankEnvironment]]) -> String {
    let interfaces = Set(hosts.joined().flatMap(\.interfaces)).sorted()
    if !interfaces.isEmpty { return "TCP over \(list(interfaces))" }
    return hosts.count == 1 ? "shared memory" : "a network without TCP"
  }

  /// Sentences with all the places of which each is true, in the order of their first ones.
  private static func grouped(_ notes: [(place: String, text: String)]) -> [([String], String)] {
    notes.reduce(into: [([String], String)]()) { groups, note in
      if let known = groups.firstIndex(where: { $0.1 == note.text }) {
        groups[known].0.append(note.place)
      } else {
        groups.append(([note.place], note.text))
      }
    }
  }

  /// Bytes a second that the ranks give around to each other, as in a step.
  private static func ringSpeed(_ world: Communicator) throws -> Double {
    let bytes = 8 << 20
    var start = now()
    // The first round makes the connections.
    for _ in 0..<2 {
      try world.barrier()
      start = now()
      _ = try world.gather([UInt8](repeating: 0, count: bytes / world.size))
    }
    return Double(bytes) * Double(world.size - 1) / Double(world.size) / (now() - start)
  }

  static func range(_ numbers: [Int]) -> String {
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 0)
    return low == high ? "\(low)" : "\(low) to \(high)"
  }

  static func list(_ names: [String]) -> String {
    names.count <= 4 ? names.joined(separator: ", ") : "\(names[0]) ... \(names[names.count - 1])"
  }
}
