/// A binary heap of pairs to join, the next one on top.
struct MergeQueue {
  /// A pair and its count when it was put in; pairs are not moved when their counts sink.
  struct Candidate {
    let count: Int
    let pair: Int32
  }

  private var heap: [Candidate] = []

  /// Puts a candidate in; `before` is the order.
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

  /// Takes the first candidate out.
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
