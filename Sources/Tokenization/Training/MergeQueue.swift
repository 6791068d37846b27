/// A binary heap of the pairs to merge, the next one at the top.
///
/// Entries are updated lazily. An entry keeps the count that its pair had when it was pushed, and a
/// pair may have several entries. The top is the next pair if its count is still current; otherwise
/// the caller pushes the pair again with the current count. This is correct as long as every pair
/// has an entry with at least its current count: a decrease needs no action, an increase needs a
/// push.
struct MergeQueue {
  /// A pair and its count at the time of the push.
  struct Candidate {
    let count: Int
    let pair: Int32
  }

  private var heap: [Candidate] = []

  /// Adds a candidate; `before` is a strict order, the same for all calls.
  ///
  /// The candidate moves up from the end while it precedes its parent.
  mutating func push(_ candidate: Candidate, before: (Candidate, Candidate) -> Bool) {
    heap.append(candidate)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard before(candidate, heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = candidate
  }

  /// Removes and returns the first candidate; nil if the queue is empty.
  ///
  /// The last element takes the place of the root and moves down while a child precedes it.
  mutating func pop(before: (Candidate, Candidate) -> Bool) -> Candidate? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return first }
    var parent = 0
    while 2 * parent + 1 < heap.count {
      var child = 2 * parent + 1
      if child + 1 < heap.count && before(heap[child + 1], heap[child]) { child += 1 }
      guard before(heap[child], last) else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return first
  }
}
