import Tensors
import TestSupport
import Testing

/// Operations on whole rows against loops over their elements, at widths around a vector's.
///
/// Elements are small integers, whose sums and products are exact in floats, so results are equal.
struct RowsTests {
  private static let widths = [1, 7, 8, 9, 16, 33]

  /// A matrix of integers from -8 to 8 with `padding` floats between its rows.
  private func matrix(
    _ rows: Int, _ columns: Int, seed: Int, padding: Int = 0
  ) -> (storage: Storage, tensor: Tensor) {
    let storage = Storage(count: rows * (columns + padding))
    let stream = RandomStream(seed: 1, site: 3, step: seed, sequence: columns)
    for i in 0..<storage.count { storage.base[i] = Float(stream.number(below: 17, index: i) - 8) }
    return (
      storage,
      Tensor(base: storage.base, rows: rows, columns: columns, stride: columns + padding)
    )
  }

  private func values(_ tensor: Tensor) -> [[Float]] {
    (0..<tensor.rows).map { row in (0..<tensor.columns).map { tensor[row, $0] } }
  }

  @Test(arguments: widths)
  func sumsOfRowsAndMatricesAreThoseOfTheirElements(width: Int) {
    let (s1, target) = matrix(5, width, seed: 1, padding: 3)
    let (s2, other) = matrix(5, width, seed: 2)
    let (s3, bias) = matrix(1, width, seed: 3)
    let before = (values(target), values(other), values(bias)[0])
    target.add(other)
    target.addToRows(bias)
    let expected = zip(before.0, before.1).map { rows in
      (0..<width).map { rows.0[$0] + rows.1[$0] + before.2[$0] }
    }
    #expect(values(target) == expected)
    bias.addSumOfRows(of: target)
    #expect(
      values(bias)[0] == (0..<width).map { i in expected.reduce(before.2[i]) { $0 + $1[i] } })
    let (s4, gaps) = matrix(5, width, seed: 1, padding: 3)
    for row in 0..<5 {
      for i in width..<width + 3 { #expect(target.row(row)[i] == gaps.row(row)[i]) }
    }
    withExtendedLifetime((s1, s2, s3, s4)) {}
  }

  @Test(arguments: widths)
  func rowsAreLookedUpAndAddedBackByIndex(width: Int) {
    let indices: [Int32] = [3, 0, 3, 1]
    let (s1, table) = matrix(4, width, seed: 1)
    let (s2, rows) = matrix(4, width, seed: 2, padding: 1)
    rows.gatherRows(of: table, indices)
    #expect(values(rows) == indices.map { values(table)[Int($0)] })
    let before = values(table)
    table.scatterAddRows(of: rows, indices)
    // Row 3 is added twice, row 2 never.
    let counts: [Float] = [1, 1, 0, 2]
    #expect(values(table) == zip(before, counts).map { row, n in row.map { (1 + n) * $0 } })
    withExtendedLifetime((s1, s2)) {}
  }

  @Test
  func anIndexOutsideTheTableIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 40)
      let table = Tensor(base: storage.base, rows: 4, columns: 8)
      storage[32..<40].gatherRows(of: table, [4])
    }
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 40)
      let table = Tensor(base: storage.base, rows: 4, columns: 8)
      table.scatterAddRows(of: storage[32..<40], [-1])
    }
  }

  /// For outputs s = x w + b, the gradient of w is the sum of x ds, that of b the sum of ds, that
  /// of x w ds.
  @Test(arguments: widths)
  func scoresAndTheirGradientsAreTheFormulas(width: Int) {
    let (s1, x) = matrix(3, width, seed: 1)
    let (s2, w) = matrix(1, width, seed: 2)
    let (s3, weightGradient) = matrix(1, width, seed: 3)
    let (s4, inputGradient) = matrix(3, width, seed: 4)
    let (scores, biasGradient) = (Storage(count: 3), Storage(count: 1))
    let before = values(weightGradient)[0]
    x.dotRows(weight: w, bias: 5, into: scores.base)
    let (inputs, weights) = (values(x), values(w)[0])
    #expect(
      (0..<3).map { scores.base[$0] } == inputs.map { row in zip(row, weights).map(*).reduce(5, +) }
    )
    let gradients: [Float] = [2, -1, 3]
    for i in 0..<3 { scores.base[i] = gradients[i] }
    x.dotRowsBackward(
      outputGradients: scores.base, weight: w, weightGradient: weightGradient,
      biasGradient: biasGradient[0..<1], into: inputGradient)
    #expect(biasGradient.base[0] == 4)
    #expect(values(inputGradient) == gradients.map { g in weights.map { g * $0 } })
    #expect(
      values(weightGradient)[0]
        == (0..<width).map { i in (0..<3).reduce(before[i]) { $0 + inputs[$1][i] * gradients[$1] } }
    )
    withExtendedLifetime((s1, s2, s3, s4)) {}
  }
}
