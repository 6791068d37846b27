import Collectives
import Foundation
import Layers
import Tensors

/// What every rank did with the time of a step.
///
/// A slow rank (a straggler) computes for longer than the others, which wait for it in the exchange
/// of gradients.
package struct RankTimes {
  /// Seconds per step of each rank.
  let computing: [Double]
  let input: [Double]
  let exchange: [Double]
  /// The host of each rank.
  let hosts: [String]

  /// Gathers the times of all ranks; every rank must call it, with its seconds in `steps` steps.
  package init(
    seconds: Double, input: Double, exchange: Double, steps: Int, hosts: [String],
    world: Communicator
  ) throws {
    let scale = 1 / Double(max(1, steps))
    let all = try world.gather(
      [seconds - input - exchange, input, exchange].map { $0 * scale })
    self.init(
      computing: all.map { $0[0] }, input: all.map { $0[1] }, exchange: all.map { $0[2] },
      hosts: hosts)
  }

  package init(computing: [Double], input: [Double], exchange: [Double], hosts: [String]) {
    (self.computing, self.input, self.exchange) = (computing, input, exchange)
    self.hosts = hosts
  }

  /// The ranks in order of the time that they compute; nil for one rank, which waits for no other.
  private var order: (fastest: Int, slowest: Int)? {
    let order = computing.indices.sorted { computing[$0] < computing[$1] }
    guard order.count > 1, let slowest = order.last else { return nil }
    return (order[0], slowest)
  }

  /// The times for `metrics.jsonl`; empty for one rank.
  var metrics: MetricValues {
    guard let (fastest, slowest) = order else { return [] }
    return [
      (.rankSecondsFastest, computing[fastest]), (.rankSecondsMedian, computing.median),
      (.rankSecondsSlowest, computing[slowest]), (.slowestRank, Double(slowest)),
    ]
  }

  /// The times as a line of the log; nil for one rank.
  package var sentence: String? {
    guard let (fastest, slowest) = order else { return nil }
    return String(
      format:
        "ranks: computing %.3f, %.3f, %.3f s per step (fastest, median, slowest: rank %d on %@), "
        + "input up to %.3f s, exchange %.3f to %.3f s",
      computing[fastest], computing.median, computing[slowest], slowest, hosts[slowest],
      input.max() ?? 0, exchange.min() ?? 0, exchange.max() ?? 0)
  }
}
