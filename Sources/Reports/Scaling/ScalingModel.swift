/// A model of the seconds of a step: computing, latency and bandwidth, minus the overlapped part.
///
///     computing = secondsPerToken x tokens of the busiest rank x workers per core
///     traffic   = secondsPerMessage x messages + secondsPerByte x bytes of a rank
///     step      = computing + traffic - min(hideable share x traffic, window share x computing)
///
/// The traffic of the embeddings overlaps with nothing. The rest overlaps with the last micro-batch
/// of a step and the first of the next (the window). A step is therefore the maximum of two sums,
/// both linear in the three coefficients. These are fitted by non-negative least squares of
/// relative errors.
///
///     let model = ScalingModel(points)
///     let seconds = model.seconds(points[0].onRanks(64, isWeak: true))
///
/// Bytes between ranks of one host count as those between hosts. It does not model stragglers,
/// switches that all hosts saturate together, evaluations, checkpoints, and the products and
/// messages of Muon.
package struct ScalingModel: Sendable, Equatable {
  package let secondsPerToken: Double
  package let secondsPerMessage: Double
  package let secondsPerByte: Double

  package init(secondsPerToken: Double, secondsPerMessage: Double, secondsPerByte: Double) {
    self.secondsPerToken = secondsPerToken
    self.secondsPerMessage = secondsPerMessage
    self.secondsPerByte = secondsPerByte
  }

  /// The model with the least relative error on `points`, of which there must be at least one.
  ///
  /// If the points cannot separate latency from bandwidth, all traffic counts as bandwidth.
  package init(_ points: [ScalingPoint]) {
    precondition(!points.isEmpty, "a fit needs a point")
    // Which of the two sums is larger depends on the coefficients, so fit repeatedly: first with
    // all traffic overlapped that can be, then as the last fit says, until no point changes. The
    // limit of 20 rounds ends a cycle.
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

  /// Seconds that the busiest rank of `point` computes.
  package func computing(_ point: ScalingPoint) -> Double {
    secondsPerToken * Double(point.rankTokens) * point.workersPerCore
  }

  /// Seconds of all traffic of `point`, overlapped or not.
  package func traffic(_ point: ScalingPoint) -> Double {
    secondsPerMessage * Double(point.messages) + secondsPerByte * Double(point.sentBytes)
  }

  /// Seconds of traffic that do not overlap with computing.
  package func exposed(_ point: ScalingPoint) -> Double {
    traffic(point) - min(point.hideableShare * traffic(point), window(point))
  }

  /// Seconds of a step.
  package func seconds(_ point: ScalingPoint) -> Double { computing(point) + exposed(point) }

  /// The relative error of the model at a measured point; above 0 the model is too slow.
  package func error(_ point: ScalingPoint) -> Double { seconds(point) / point.seconds - 1 }

  /// Seconds of computing that can overlap with traffic.
  private func window(_ point: ScalingPoint) -> Double { point.windowShare * computing(point) }

  /// The coefficients of least error, given for each point whether its traffic exceeds the window.
  ///
  /// With the larger of the two sums known, a step is linear in the coefficients; each row is
  /// divided by the measured seconds, so that relative errors count.
  private static func fit(_ points: [ScalingPoint], _ isExposed: [Bool]) -> ScalingModel {
    let rows = zip(points, isExposed).map { point, isExposed in
      let tokens = Double(point.rankTokens) * point.workersPerCore
      let (computing, traffic) =
        isExposed ? (1 - point.windowShare, 1) : (1, 1 - point.hideableShare)
      let amounts = [
        tokens * computing, Double(point.sentBytes) * traffic, Double(point.messages) * traffic,
      ]
      return amounts.map { $0 / point.seconds }
    }
    // Non-negative least squares by trying every set of coefficients above zero, the simplest
    // first: it wins a tie.
    var best: (error: Double, coefficients: [Double]) = (.infinity, [0, 0, 0])
    for choice in [[0], [0, 1], [0, 2], [0, 1, 2], [1], [2], [1, 2]] {
      guard let coefficients = solve(rows, choice), coefficients.allSatisfy({ $0 >= 0 }) else {
        continue
      }
      let error = rows.reduce(0) { sum, row in
        let residual = zip(row, coefficients).reduce(-1) { $0 + $1.0 * $1.1 }
        return sum + residual * residual
      }
      if error < best.error * (1 - 1e-9) - 1e-18 { best = (error, coefficients) }
    }
    return ScalingModel(
      secondsPerToken: best.coefficients[0], secondsPerMessage: best.coefficients[2],
      secondsPerByte: best.coefficients[1])
  }

  /// The least-squares solution of `rows` x = 1 in which only the elements `choice` of x are not
  /// zero.
  ///
  /// Solves the normal equations by Gauss-Jordan elimination. nil if they are singular.
  private static func solve(_ rows: [[Double]], _ choice: [Int]) -> [Double]? {
    // Columns are normalised first, so that one bound holds for all pivots.
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
    var coefficients = [0.0, 0, 0]
    for i in 0..<n { coefficients[choice[i]] = matrix[i][n] / matrix[i][i] / sizes[i] }
    return coefficients
  }
}
