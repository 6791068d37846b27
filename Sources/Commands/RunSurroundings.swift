import Collectives
import Foundation
import Tensors
import Training

/// What a run found where it was started: hosts, ranks, lanes, network, libraries, memory; and what
/// is usually a mistake there.
struct RunSurroundings {
  /// For the log.
  let summary: String
  /// Sentences, on rank zero.
  private(set) var warnings: [String] = []

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - cost: what the run needs.
  ///   - slices: of the recipe.
  init(_ layout: RankLayout, _ cost: RunCost, slices: Int, world: Communicator) throws {
    let hosts = try world.gather(Array(hostName().utf8)).map { String(decoding: $0, as: UTF8.self) }
    let lanes = try world.gather([layout.processors.count]).map { $0[0] }
    let kept = try world.gather([layout.processors.allSatisfy { $0 >= 0 } ? 1 : 0]).map { $0[0] }
    let free = try world.gather([layout.isFirstOnHost ? HostResources.freeMemory ?? 0 : 0])
      .map { $0[0] }
    let names = hosts.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
    var parts = [
      "\(Set(hosts).count) \(Set(hosts).count == 1 ? "host" : "hosts") (\(Self.list(names)))",
      "\(world.size) \(world.size == 1 ? "rank" : "ranks") x \(Self.range(lanes)) "
        + (lanes == [1] ? "lane, " : "lanes, ")
        + (kept.contains(0) ? "free to move" : "each on a core of its own"),
      "\(free.filter { $0 > 0 }.min()?.bytes ?? "?") of memory free on each host",
      MatrixLibrary.description,
    ]
    if world.size > 1 {
      let speed = try Self.ringSpeed(world)
      parts.append(
        "\(Communicator.libraryVersion), in which \(Int(speed).bytes)/s go around the ranks")
    }
    summary = "found " + parts.joined(separator: "; ")
    var own = [layout.warning, layout.isFirstOnHost ? cost.memoryShortage(layout) : nil]
    if layout.isFirstOnHost && layout.ranksOnHost > 4 {
      own.append(
        "\(layout.ranksOnHost) ranks are on one host; one rank a NUMA domain with more --threads "
          + "needs less memory and sends less")
    }
    let sentence = own.compactMap(\.self).joined(separator: "; ")
    let all = try world.gather(Array(sentence.utf8)).map { String(decoding: $0, as: UTF8.self) }
    for text in Set(all).subtracting([""]).sorted() {
      let ranks = all.indices.filter { all[$0] == text }
      let place =
        world.size == 1
        ? "" : "\(ranks.count == 1 ? "rank" : "ranks") \(Self.list(ranks.map(String.init))): "
      warnings.append(place + text)
    }
    if Set(lanes).count > 1 {
      warnings.append(
        "ranks have \(Self.range(lanes)) lanes; all wait for the ones with the fewest; give every "
          + "rank as many cores")
    }
    if let shape = Self.shapeWarning(slices: slices, ranks: world.size) { warnings.append(shape) }
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
