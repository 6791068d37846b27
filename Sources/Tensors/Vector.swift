/// The vector type of all kernels: eight floats.
///
/// Goals, in order: the bits of an element do not depend on its position in a row; no dependence on
/// how the compiler vectorizes a loop; speed. Hence the tail of a row goes through the same
/// operations as the full vectors, in a vector padded with a neutral value, and sums have an
/// explicit order.
typealias Vector = SIMD8<Float>

/// The result of a comparison of vectors.
typealias VectorMask = SIMDMask<SIMD8<Int32>>

extension UnsafeMutablePointer where Pointee == Float {
  /// The eight floats from `index` on.
  @inline(__always)
  func vector(at index: Int) -> Vector {
    UnsafeRawPointer(self + index).loadUnaligned(as: Vector.self)
  }

  /// The `count` (below eight) floats from `index` on, padded with `neutral`.
  @inline(__always)
  func vector(at index: Int, count: Int, neutral: Float = 0) -> Vector {
    var result = Vector(repeating: neutral)
    for lane in 0..<count { result[lane] = self[index + lane] }
    return result
  }

  @inline(__always)
  func store(_ vector: Vector, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: vector, as: Vector.self)
  }

  /// Stores the first `count` (below eight) lanes.
  @inline(__always)
  func store(_ vector: Vector, at index: Int, count: Int) {
    for lane in 0..<count { self[index + lane] = vector[lane] }
  }
}

/// Calls `body` with the index of every full vector of a row of `count` floats, then of its tail.
///
/// `tail` is nil for a full vector, otherwise the number of remaining floats. Nothing is called for
/// an empty row.
@inline(__always)
func forEachVector(_ count: Int, _ body: (_ index: Int, _ tail: Int?) -> Void) {
  var index = 0
  while index + Vector.scalarCount <= count {
    body(index, nil)
    index += Vector.scalarCount
  }
  if index < count { body(index, count - index) }
}

extension UnsafeMutablePointer where Pointee == Float {
  /// Loads a full vector, or a tail padded with `neutral`.
  @inline(__always)
  func load(at index: Int, tail: Int?, neutral: Float = 0) -> Vector {
    guard let tail else { return vector(at: index) }
    return vector(at: index, count: tail, neutral: neutral)
  }

  /// Stores a full vector, or the lanes of a tail.
  @inline(__always)
  func store(_ vector: Vector, at index: Int, tail: Int?) {
    guard let tail else { return store(vector, at: index) }
    store(vector, at: index, count: tail)
  }
}

extension SIMD8 where Scalar == Float {
  /// The sum of the lanes in a fixed order: halves are added, then quarters, then the last two.
  @inline(__always)
  var orderedSum: Float {
    let half = lowHalf + highHalf
    let quarter = half.lowHalf + half.highHalf
    return quarter[0] + quarter[1]
  }

  /// The largest lane; NaN lanes may be skipped.
  @inline(__always)
  var largest: Float {
    let half = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let quarter = half.lowHalf.replacing(with: half.highHalf, where: half.highHalf .> half.lowHalf)
    return quarter[1] > quarter[0] ? quarter[1] : quarter[0]
  }

  /// The larger value of each lane; this vector's where `other` is NaN.
  @inline(__always)
  func maximum(_ other: Self) -> Self { replacing(with: other, where: other .> self) }

  /// `self * factor + addend`, rounded once (fused multiply-add).
  @inline(__always)
  func times(_ factor: Self, plus addend: Self) -> Self { addend.addingProduct(self, factor) }
}
