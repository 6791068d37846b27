import Collectives
import Tensors
import Training

/// What a run found where it was started: hosts, ranks, lanes, network, processors, memory; and what
/// is usually a mistake there.
struct RunSurroundings {
  /// For the log.
  let summary: String
  /// Sentences for the log.
  let warnings: [String]

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - cost: what the run needs.
  ///   - slices: of the recipe.
  init(_ layout: RankLayout, _ cost: RunCost, slices: Int, world: Communicator) throws {
    // It makes the connections that the facts then tell of.
    let speed = world.size > 1 ? try Self.ringSpeed(world) : nil
    self.init(
      try RankFacts(layout, cost).gathered(world), ringSpeed: speed, slices: slices)
  }

  /// - Parameters:
  ///   - ranks: the facts of each.
  ///   - ringSpeed: bytes a second that go around them.
  init(_ ranks: [RankFacts], ringSpeed: Double?, slices: Int) {
    let hosts = Dictionary(grouping: ranks, by: \.host)
    let names = ranks.reduce(into: [String]()) { if !$0.contains($1.host) { $0.append($1.host) } }
    let perHost = names.compactMap { hosts[$0] }
    let lanes = ranks.map(\.lanes)
    var parts = [
      "\(names.count) \(names.count == 1 ? "host" : "hosts") (\(Self.list(names)))",
      "\(ranks.count) \(ranks.count == 1 ? "rank" : "ranks") x \(Self.range(lanes)) "
        + (Set(lanes) == [1] ? "lane, " : "lanes, ")
        + (ranks.allSatisfy(\.isPinned) ? "each on a core of its own" : "free to move"),
    ]
    if let ringSpeed {
      parts.append(
        "\(Self.transport(perHost)), \(Int(ringSpeed).bytes)/s around the ranks "
          + "(\(Communicator.libraryVersion))")
    }
    let types = Set(ranks.map(\.processorType)).sorted()
    parts += [
      "\(types.joined(separator: " and ")), \(Self.range(perHost.map { $0[0].processors })) "
        + "processors a host, \(MatrixLibrary.description)",
      "\(ranks.compactMap(\.freeMemory).min()?.bytes ?? "?") of memory free on each host",
    ]
    summary = "found " + parts.joined(separator: "; ")
    let own = ranks.indices.flatMap { rank in ranks[rank].notes.map { ("\(rank)", $0) } }
    let shared = perHost.flatMap { ranks in Self.notes(on: ranks).map { (ranks[0].host, $0) } }
    let all = [Self.laneWarning(ranks), Self.shapeWarning(slices: slices, ranks: ranks.count)]
    let alone = ranks.count == 1
    warnings =
      Self.grouped(own).map { ranks, text in
        alone ? text : "\(ranks.count == 1 ? "rank" : "ranks") \(Self.list(ranks)): " + text
      }
      + Self.grouped(shared).map { hosts, text in "on \(Self.list(hosts)) " + text }
      + all.compactMap(\.self)
  }

  /// What carries the sums from rank to rank.
  private static func transport(_ hosts: [[RankFacts]]) -> String {
    let interfaces = Set(hosts.joined().flatMap(\.interfaces)).sorted()
    if !interfaces.isEmpty { return "TCP over \(list(interfaces))" }
    return hosts.count == 1 ? "shared memory" : "a network without TCP"
  }

  /// What is usually a mistake on a host, after the words "on n1".
  private static func notes(on ranks: [RankFacts]) -> [String] {
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
        "\(lanes) lanes run on the hardware threads of \(first.cores) cores; one lane a core may "
          + "be as fast and needs less memory: try fewer --threads")
    }
    return notes
  }

  /// A word on ranks of which some have fewer lanes than others.
  private static func laneWarning(_ ranks: [RankFacts]) -> String? {
    guard let least = ranks.indices.min(by: { ranks[$0].lanes < ranks[$1].lanes }),
      Set(ranks.map(\.lanes)).count > 1
    else { return nil }
    return "ranks have \(range(ranks.map(\.lanes))) lanes; all wait for the ones with the fewest, "
      + "such as rank \(least) on \(ranks[least].host); give every rank as many cores"
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

  /// A word on ranks that the slices do not divide among evenly: some compute more than others, and
  /// bring several sums instead of one.
  static func shapeWarning(slices: Int, ranks: Int) -> String? {
    let tree = ReductionTree(sliceCount: slices)
    let runs = (0..<ranks).map { tree.run(of: $0, of: ranks) }
    let pieces = runs.map { ReductionTree.pieces(of: $0).count }
    guard let most = runs.map(\.count).max(), let least = runs.map(\.count).min() else {
      return nil
    }
    if most == least && pieces.allSatisfy({ $0 == 1 }) { return nil }
    return "\(slices) slices on \(ranks) ranks give a rank \(least) to \(most) slices and up to "
      + "\(pieces.max() ?? 1) sums to send; a number of ranks that is a power of two does best"
  }

  private static func range(_ numbers: [Int]) -> String {
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 0)
    return low == high ? "\(low)" : "\(low) to \(high)"
  }

  private static func list(_ names: [String]) -> String {
    names.count <= 4 ? names.joined(separator: ", ") : "\(names[0]) ... \(names[names.count - 1])"
  }
}
