// The orthogonalisation of Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in
// neural networks"; the iteration is Bernstein and Newhouse's).
//
// Goals, in order: bits that depend on the matrix alone, hence products in float32 on the calling
// thread; few operations.
//
// With X = U S V^T, one iteration is X (a + b X^T X + c (X^T X)^2) = U (a S + b S^3 + c S^5) V^T:
// it changes singular values only. The coefficients have a steep slope at 0, so that five
// iterations take values from about 0.01 to between 0.68 and 1.14. They do not converge to 1, and
// training does not need it.

/// Replaces a matrix by an approximation of the nearest matrix with orthonormal rows or columns.
package enum NewtonSchulz {
  private static let (a, b, c): (Float, Float, Float) = (3.4445, -4.775, 2.0315)
  private static let iterations = 5
  /// Keeps the quotient finite for a matrix of zeros, which stays one.
  private static let epsilon = 1e-7

  /// The floats of temporary memory for a matrix of this shape: a copy of it and two squares.
  package static func scratchCount(rows: Int, columns: Int) -> Int {
    let smaller = min(rows, columns)
    return rows * columns + 2 * smaller * smaller
  }

  /// The floating-point operations of the products for a matrix of this shape.
  ///
  /// A multiply-add counts as two.
  package static func operations(rows: Int, columns: Int) -> Double {
    let (smaller, larger) = (Double(min(rows, columns)), Double(max(rows, columns)))
    return Double(iterations) * (4 * smaller * smaller * larger + 2 * smaller * smaller * smaller)
  }

  /// Orthogonalises `matrix` in place: singular values from 0.01 of the Frobenius norm on become
  /// about 1.
  ///
  /// - Parameters:
  ///   - matrix: a contiguous matrix of finite values.
  ///   - scratch: `scratchCount` floats that do not overlap it.
  package static func orthogonalize(_ matrix: Tensor, scratch: UnsafeMutablePointer<Float>) {
    precondition(matrix.isContiguous, "a window of a matrix")
    let (rows, columns) = (matrix.rows, matrix.columns)
    let size = min(rows, columns)
    var (x, next) = (matrix, Tensor(base: scratch, rows: rows, columns: columns))
    let gram = Tensor(base: scratch + matrix.count, rows: size, columns: size)
    let polynomial = Tensor(base: gram.base + gram.count, rows: size, columns: size)
    let norm = sumOfSquares(x.base, count: x.count).squareRoot()
    x.scale(Float(1 / (norm + epsilon)))
    for _ in 0..<iterations {
      // The smaller of X X^T and X^T X, on its side of X.
      if rows > columns {
        product(x.transposed, x.plain, into: gram)
      } else {
        product(x.plain, x.transposed, into: gram)
      }
      polynomial.copy(from: gram)
      polynomial.scale(b)
      for i in 0..<size { polynomial[i, i] += a }
      product(gram.plain, gram.plain, into: polynomial, scale: c, adding: true)
      if rows > columns {
        product(x.plain, polynomial.plain, into: next)
      } else {
        product(polynomial.plain, x.plain, into: next)
      }
      swap(&x, &next)
    }
    if x.base != matrix.base { matrix.copy(from: x) }
  }

  private static func product(
    _ left: Factor, _ right: Factor, into result: Tensor, scale: Float = 1, adding: Bool = false
  ) {
    result.multiplyFloats(
      left, .matrix(right), scale: scale, adding: adding, activity: .orthogonalization)
  }
}

extension Tensor {
  /// Multiplies every element of a contiguous matrix by `factor`.
  fileprivate func scale(_ factor: Float) {
    forEachVector(count) { i, tail in
      base.store(base.load(at: i, tail: tail) * factor, at: i, tail: tail)
    }
  }
}
