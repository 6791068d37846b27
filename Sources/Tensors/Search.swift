/// The first position in 0..<`count` for which `condition` holds, by binary search.
///
/// If the condition holds at a position, it must hold at all later ones. Returns `count` if it
/// holds nowhere.
@inlinable
package func firstPosition(in count: Int, where condition: (Int) -> Bool) -> Int {
  var (low, high) = (0, count)
  while low < high {
    let middle = (low + high) / 2
    if condition(middle) { high = middle } else { low = middle + 1 }
  }
  return low
}
