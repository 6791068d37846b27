import Collectives
import Foundation
import Tensors

/// What every rank did with the time of a step: stragglers compute for longer than the others, who
/// wait for them.
package struct RankTimes {
  /// Seconds a step of each rank.
  let computing: [Double]
  let input: [Double]
  let exchange: [Double]
  let hosts: [String]

  /// Every rank must call it, with its own seconds of `steps` steps.
  package init(
    seconds: Double, input: Double, exchange: Double, steps: Int, hosts: [String],
    world: Communicator
  ) throws {
    let share = 1 / Double(max(1, steps))
    let all = try world.gather(
      [seconds - input - exchange, input, exchange].map { $0 * share })
    self.init(
      computing: all.map { $0[0] }, input: all.map { $0[1] }, exchange: all.map { $0[2] },
      hosts: hosts)
  }

  package init(computing: [Double], input: [Double], exchange: [Double], hosts: [String]) {
    (self.computing, self.input, self.exchange) = (computing, input, exchange)
    self.hosts = hosts
  }

  /// Nil for one rank, which nobody waits for.
  package var sentence: String? {
    let order = computing.indices.sorted { computing[$0] < computing[$1] }
    guard order.count > 1, let slowest = order.last else { return nil }
    return String(
      format:
        "ranks computed %.3f, %.3f, %.3f s a step (fastest, median, slowest: rank %d on %@), "
        + "waited up to %.3f s for input and %.3f to %.3f s in the exchange",
      computing[order[0]], computing.median, computing[slowest], slowest, hosts[slowest],
      input.max() ?? 0,
      exchange.min() ?? 0, exchange.max() ?? 0)
  }
}
