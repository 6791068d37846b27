// Operations on whole rows: biases, sums over rows, embedding look-ups, dot products. Sums over
// rows run from the first row to the last.

extension Tensor {
  /// Adds `bias` (columns) to every row.
  package func addToRows(_ bias: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(bias.columns == columns, "shapes differ")
    for r in 0..<rows { addVector(bias.base, to: row(r), count: columns) }
  }

  /// Adds the sum of all rows of `matrix` (N, columns) to this vector (1, columns).
  package func addSumOfRows(of matrix: Tensor) { addSumOfRows(of: .float32(matrix)) }

  /// Adds the sum of all rows of `matrix` (N, columns) to this vector (1, columns).
  package func addSumOfRows(of matrix: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(matrix.columns == columns && rows == 1, "shapes differ")
    switch matrix {
    case .float32(let tensor): addRows(of: tensor)
    case .bfloat16(let tensor): addRows(of: tensor)
    }
  }

  private func addRows(of matrix: some OperandElements) {
    for r in 0..<matrix.rows {
      forEachVector(columns) { i, tail in
        let sum = base.load(at: i, tail: tail) + matrix.load(row: r, at: i, tail: tail)
        base.store(sum, at: i, tail: tail)
      }
    }
  }

  /// Adds `other`, which has the same shape.
  package func add(_ other: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(other.rows == rows && other.columns == columns, "shapes differ")
    for r in 0..<rows { addVector(other.row(r), to: row(r), count: columns) }
  }

  /// Copies row `indices[i]` of `table` to row i (embedding look-up); traps if an index is out of
  /// range.
  ///
  /// In bfloat16 the rows are rounded, and are then what products with the table read.
  package func gatherRows(
    of table: Tensor, _ indices: [Int32], in arithmetic: Arithmetic = .float32
  ) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(indices.count == rows && table.columns == columns, "shapes differ")
    for (r, index) in indices.enumerated() {
      let (source, target) = (table.row(checked(index, table.rows)), row(r))
      guard arithmetic.roundsFactors else {
        target.update(from: source, count: columns)
        continue
      }
      forEachVector(columns) { i, tail in
        target.store(source.load(at: i, tail: tail).rounded, at: i, tail: tail)
      }
    }
  }

  /// Adds row i of `source` to row `indices[i]` of this table, in the order of i.
  ///
  /// It is the backward pass of `gatherRows`; indices may repeat. Traps if an index is out of
  /// range.
  package func scatterAddRows(of source: Tensor, _ indices: [Int32]) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(indices.count == source.rows && source.columns == columns, "shapes differ")
    for (r, index) in indices.enumerated() {
      addVector(source.row(r), to: row(checked(index, rows)), count: columns)
    }
  }

  private func checked(_ index: Int32, _ bound: Int) -> Int {
    precondition(index >= 0 && index < bound, "row \(index) of a table of \(bound)")
    return Int(index)
  }
}

/// target += source.
@inline(__always)
func addVector(
  _ source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int
) {
  forEachVector(count) { i, tail in
    target.store(target.load(at: i, tail: tail) + source.load(at: i, tail: tail), at: i, tail: tail)
  }
}

/// The dot product of two rows, with eight accumulators that are added at the end.
@inline(__always)
func sumOfProducts(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, count: Int
) -> Float {
  var total = Vector(repeating: 0)
  forEachVector(count) { i, tail in
    total = a.load(at: i, tail: tail).times(b.load(at: i, tail: tail), plus: total)
  }
  return total.orderedSum
}

extension Tensor {
  /// A linear layer with one output: writes dot(row r, `weight`) + `bias` to `outputs[r]`.
  ///
  /// `weight` is (columns); `outputs` has space for `rows` floats.
  package func dotRows(
    weight: Tensor, bias: Float, into outputs: UnsafeMutablePointer<Float>
  ) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(weight.columns == columns, "shapes differ")
    for r in 0..<rows { outputs[r] = sumOfProducts(row(r), weight.base, count: columns) + bias }
  }

  /// The backward pass of `dotRows` on this tensor, the input.
  ///
  /// Adds to `weightGradient` (columns) and `biasGradient` (one float), and writes `inputGradient`
  /// (rows, columns). `outputGradients` has `rows` floats.
  package func dotRowsBackward(
    outputGradients: UnsafeMutablePointer<Float>, weight: Tensor, weightGradient: Tensor,
    biasGradient: Tensor, into inputGradient: Tensor
  ) {
    let start = Profile.begin()
    defer { Profile.end(.rows, start) }
    precondition(
      weight.columns == columns && weightGradient.columns == columns && biasGradient.count == 1
        && inputGradient.rows == rows && inputGradient.columns == columns, "shapes differ")
    for r in 0..<rows {
      let gradient = Vector(repeating: outputGradients[r])
      biasGradient.base[0] += outputGradients[r]
      let (input, target) = (row(r), inputGradient.row(r))
      let sum = weightGradient.base
      forEachVector(columns) { i, tail in
        sum.store(
          input.load(at: i, tail: tail).times(gradient, plus: sum.load(at: i, tail: tail)),
          at: i, tail: tail)
        target.store(weight.base.load(at: i, tail: tail) * gradient, at: i, tail: tail)
      }
    }
  }
}
