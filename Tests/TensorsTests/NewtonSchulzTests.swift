import Foundation
import Tensors
import TestSupport
import Testing

/// The orthogonalisation of Muon.
struct NewtonSchulzTests {
  /// Orthonormal columns: `count` vectors of `size` numbers, by Gram and Schmidt.
  private func orthonormal(_ count: Int, size: Int, _ draws: inout Draws) -> [[Double]] {
    var result: [[Double]] = []
    for _ in 0..<count {
      var vector = (0..<size).map { _ in Double.random(in: -1...1, using: &draws) }
      for _ in 0..<2 {
        for other in result {
          let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for i in vector.indices { vector[i] -= product * other[i] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      result.append(vector.map { $0 / norm })
    }
    return result
  }

  /// Runs the kernel on a row-major matrix that begins `offset` floats after a cache line.
  private func orthogonalize(
    _ values: [Float], rows: Int, columns: Int, offset: Int = 0
  ) -> [Float] {
    let memory = Storage(count: values.count + offset)
    let matrix = Tensor(base: memory.base + offset, rows: rows, columns: columns)
    for (i, value) in values.enumerated() { matrix.base[i] = value }
    let scratch = Storage(count: NewtonSchulz.scratchCount(rows: rows, columns: columns))
    NewtonSchulz.orthogonalize(matrix, scratch: scratch.base)
    return withExtendedLifetime(memory) { (0..<values.count).map { matrix.base[$0] } }
  }

  /// U S V^T with known singular vectors becomes U p(S / |S|) V^T, where p are five iterations on
  /// numbers; singular values from a hundredth of the norm on are then between 0.68 and 1.14.
  @Test(arguments: [(13, 40), (40, 13), (24, 24), (1, 9), (300, 20)])
  func singularValuesBecomeAboutOne(rows: Int, columns: Int) {
    var draws = Draws(state: UInt64(rows))
    let rank = min(rows, columns)
    let left = orthonormal(rank, size: rows, &draws)
    let right = orthonormal(rank, size: columns, &draws)
    let values = (0..<rank).map { 3 * pow(0.05, Double($0) / Double(max(1, rank - 1))) }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7
    let mapped = values.map { value in
      (0..<5).reduce(value / norm) { s, _ in
        3.4445 * s - 4.775 * pow(s, 3) + 2.0315 * pow(s, 5)
      }
    }
    #expect(mapped.allSatisfy { (0.68...1.14).contains($0) }, "\(mapped)")
    func matrix(_ values: [Double]) -> [Double] {
      (0..<rows * columns).map { i in
        (0..<rank).reduce(0) {
          $0 + values[$1] * left[$1][i / columns] * right[$1][i % columns]
        }
      }
    }
    let input = matrix(values).map { Float($0) }
    let result = orthogonalize(input, rows: rows, columns: columns)
    // Errors of single precision, amplified by the slope 3.4445^5 = 485 at small values.
    let error = zip(result, matrix(mapped)).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
    #expect(error < 1e-4, "\(error)")
    // The transposed matrix gives the transposed result.
    func transposed(_ values: [Float]) -> [Float] {
      (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }
    }
    let other = orthogonalize(transposed(input), rows: columns, columns: rows)
    #expect(zip(other, transposed(result)).allSatisfy { abs($0 - $1) < 1e-4 })
    // Bits do not depend on the address.
    #expect(orthogonalize(input, rows: rows, columns: columns, offset: 5) == result)
  }

  @Test
  func zerosStayZeros() {
    let zeros = [Float](repeating: 0, count: 12)
    #expect(orthogonalize(zeros, rows: 3, columns: 4) == zeros)
  }
}
