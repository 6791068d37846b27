/// Seconds of a step as a sum of computing, latency and bandwidth, less what overlap hides:
///
///     computing = secondsPerToken x tokens of the busiest rank x lanes that share a core
///     traffic   = secondsPerMessage x messages + secondsPerByte x bytes of a rank
///     step      = computing + traffic - min(hideable share x traffic, window share x computing)
///
/// The embeddings' part of the traffic has nothing to hide behind, and the rest only the last
/// micro-batch of a step and the first of the next. So a step is the longer of two sums, both linear in
/// the three prices, which are fitted by least squares of relative errors and none of which may be
/// negative.
///
///     let model = ScalingModel(points)
///     let seconds = model.seconds(points[0].onRanks(64, isWeak: true))
///
/// It knows nothing of stragglers, of switches that all hosts together fill, and of evaluations and
/// checkpoints.
package struct ScalingModel: Sendable, Equatable {
  package let secondsPerToken: Double
  package let secondsPerMessage: Double
  package let secondsPerByte: Double

  package init(secondsPerToken: Double, secondsPerMessage: Double, secondsPerByte: Double) {
    self.secondsPerToken = secondsPerToken
    self.secondsPerMessage = secondsPerMessage
    self.secondsPerByte = secondsPerByte
  }

  /// The model that explains `points` best; at least one must be given. Where they cannot tell latency
  /// from bandwidth, all is bandwidth.
  package init(_ points: [ScalingPoint]) {
    precondition(!points.isEmpty, "a fit needs a point")
    // Which of the two sums is the longer depends on the prices: begin with all traffic hidden that
    // can be, and go on until nothing changes.
    var isExposed = points.map { _ in false }
    var model = Self.fit(points, isExposed)
    for _ in 0..<20 {
      let next = points.map { model.traffic($0) * $0.hideableShare > model.window($0) }
      if next == isExposed { break }
      isExposed = next
      model = Self.fit(points, isExposed)
    }
    self = model
  }

  /// Seconds of the computing of `point`, of all its traffic, and of what is left of that beside the
  /// computing.
  package func computing(_ point: ScalingPoint) -> Double {
    secondsPerToken * Double(point.rankTokens) * point.lanesPerCore
  }

  package func traffic(_ point: ScalingPoint) -> Double {
    secondsPerMessage * Double(point.messages) + secondsPerByte * Double(point.sentBytes)
  }

  package func exposed(_ point: ScalingPoint) -> Double {
    traffic(point) - min(point.hideableShare * traffic(point), window(point))
  }

  /// Seconds of a step.
  package func seconds(_ point: ScalingPoint) -> Double { computing(point) + exposed(point) }

  /// By what part of the measured seconds the model is off; above 0 it says too much.
  package func error(_ point: ScalingPoint) -> Double { seconds(point) / point.seconds - 1 }

  private func window(_ point: ScalingPoint) -> Double { point.windowShare * computing(point) }

  /// The prices of least error when it is known which points' traffic is longer than what hides it.
  private static func fit(_ points: [ScalingPoint], _ isExposed: [Bool]) -> ScalingModel {
    let rows = zip(points, isExposed).map { point, isExposed in
      let tokens = Double(point.rankTokens) * point.lanesPerCore
      let (computing, traffic) =
        isExposed ? (1 - point.windowShare, 1) : (1, 1 - point.hideableShare)
      let amounts = [
        tokens * computing, Double(point.sentBytes) * traffic, Double(point.messages) * traffic,
      ]
      return amounts.map { $0 / point.seconds }
    }
    // Three prices are few enough to try every choice of those above zero; the simplest wins a tie.
    var best: (error: Double, prices: [Double]) = (.infinity, [0, 0, 0])
    for choice in [[0], [0, 1], [0, 2], [0, 1, 2], [1], [2], [1, 2]] {
      guard let prices = solve(rows, choice), prices.allSatisfy({ $0 >= 0 }) else { continue }
      let error = rows.reduce(0) { sum, row in
        let residual = zip(row, prices).reduce(-1) { $0 + $1.0 * $1.1 }
        return sum + residual * residual
      }
      if error < best.error * (1 - 1e-9) - 1e-18 { best = (error, prices) }
    }
    return ScalingModel(
      secondsPerToken: best.prices[0], secondsPerMessage: best.prices[2],
      secondsPerByte: best.prices[1])
  }

  /// The least squares solution of `rows` x = 1 with all of x zero but `choice`; nil when the points
  /// do not decide it.
  private static func solve(_ rows: [[Double]], _ choice: [Int]) -> [Double]? {
    // Columns are brought to one size first, so that one bound on the pivots serves all.
    let sizes = choice.map { c in rows.reduce(0) { $0 + $1[c] * $1[c] }.squareRoot() }
    guard sizes.allSatisfy({ $0 > 0 }) else { return nil }
    let n = choice.count
    var matrix = (0..<n).map { i in
      (0...n).map { j in
        rows.reduce(0) { sum, row in
          sum + row[choice[i]] / sizes[i] * (j < n ? row[choice[j]] / sizes[j] : 1)
        }
      }
    }
    for i in 0..<n {
      guard matrix[i][i] > 1e-6 else { return nil }
      for k in 0..<n where k != i {
        let factor = matrix[k][i] / matrix[i][i]
        for j in i...n { matrix[k][j] -= factor * matrix[i][j] }
      }
    }
    var prices = [0.0, 0, 0]
    for i in 0..<n { prices[choice[i]] = matrix[i][n] / matrix[i][i] / sizes[i] }
    return prices
  }
}
