/// The first of the positions 0..<`count` for which `condition` holds, found in about log2(`count`) steps.
///
/// Once it holds it must hold for all positions that follow. Returns `count` where it holds for none.
@inlinable
package func firstPosition(in count: Int, where condition: (Int) -> Bool) -> Int {
  var (low, high) = (0, count)
  while low < high {
    let middle = (low + high) / 2
    if condition(middle) { high = middle } else { low = middle + 1 }
  }
  return low
}
