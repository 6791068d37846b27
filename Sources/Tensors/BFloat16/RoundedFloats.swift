// Vectors of floats that are added or sent in bfloat16. Rounding is that of `roundedBits`; rounding
// a number again does not change it.

/// Writes the nearest bfloat16 numbers of `count` floats to `target`, two bytes each.
///
/// `target` may be the memory of `source`: each float is read before its bytes are overwritten.
package func roundFloats(
  _ source: UnsafeMutablePointer<Float>, count: Int, into target: UnsafeMutableRawPointer
) {
  forEachVector(count) { i, tail in
    target.storeBFloat16(source.load(at: i, tail: tail), at: i, tail: tail)
  }
}

/// Writes `count` bfloat16 numbers to `target` as floats; the two must not overlap.
package func widenFloats(
  _ source: UnsafeMutableRawPointer, count: Int, into target: UnsafeMutablePointer<Float>
) {
  forEachVector(count) { i, tail in
    target.store(source.loadBFloat16(at: i, tail: tail), at: i, tail: tail)
  }
}

/// Writes the sums of `count` floats of `a` and `b` to `sum`, which may be `a` or `b`.
///
/// If `isRounded`, the floats of `a` and `b` are rounded to bfloat16 before they are added; the sum
/// is not.
package func addFloats(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, count: Int,
  isRounded: Bool, into sum: UnsafeMutablePointer<Float>
) {
  if isRounded {
    forEachVector(count) { i, tail in
      let (left, right) = (a.load(at: i, tail: tail), b.load(at: i, tail: tail))
      sum.store(left.rounded + right.rounded, at: i, tail: tail)
    }
  } else {
    forEachVector(count) { i, tail in
      sum.store(a.load(at: i, tail: tail) + b.load(at: i, tail: tail), at: i, tail: tail)
    }
  }
}
