/// Builds tokens by byte-pair encoding (Sennrich et al., 2016).
///
/// It repeatedly merges the most frequent pair of adjacent symbols into one symbol. A merge updates
/// only the counts of the pairs next to its occurrences. Among equally frequent pairs, the order is
/// that of the bytes of the left token, then of the right token.
///
/// All words are stored contiguously in `symbols`. `next` and `previous` are linked lists of the
/// symbols of each word. A merge writes the new token at the left position and removes the right
/// position, whose symbol becomes -1, from the list. Each distinct word is stored once and weighted
/// by its count.
struct PairMerger {
  /// The initial tokens, then one for each merge that created a new token.
  private(set) var tokens: [[UInt8]]
  private var ids: [[UInt8]: Int32]
  private var symbols: [Int32] = []
  /// The next and previous position in the same word, or -1.
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// The word of each position, and the count of each word.
  private var words: [Int32] = []
  private var weights: [Int] = []
  private var pairs = PairTable()
  private var queue = MergeQueue()

  /// Creates a merger with the special tokens and the alphabet, which all differ.
  init(tokens: [[UInt8]]) {
    self.tokens = tokens
    ids = Dictionary(uniqueKeysWithValues: zip(tokens, Int32(0)...))
  }

  /// Adds a word, given as the ids of its characters, that occurs `count` times.
  mutating func addWord(_ characters: [Int32], count: Int) {
    let start = Int32(symbols.count)
    let end = start + Int32(characters.count)
    for (position, character) in zip(start..., characters) {
      symbols.append(character)
      next.append(position + 1 < end ? position + 1 : -1)
      previous.append(position > start ? position - 1 : -1)
      words.append(Int32(weights.count))
      if position > start {
        _ = pairs.add(symbols[Int(position) - 1], character, count: count, at: position - 1)
      }
    }
    weights.append(count)
  }

  /// Merges pairs that occur at least `minimum` times until there are `size` tokens.
  ///
  /// `progress` is called periodically with the number of tokens.
  mutating func merge(to size: Int, atLeast minimum: Int, progress: (Int) -> Void) {
    for pair in 0..<Int32(pairs.pairCount) { push(pair, minimum) }
    while tokens.count < size, let candidate = pop() {
      let count = pairs.count(of: candidate.pair)
      // A stale entry: the count has changed since. Queue the pair again with its current count.
      if count != candidate.count {
        push(candidate.pair, minimum)
        continue
      }
      for pair in join(candidate.pair) { push(pair, minimum) }
      if tokens.count % 256 == 0 { progress(tokens.count) }
    }
  }

  /// Queues a pair with its current count, unless it occurs fewer than `minimum` times.
  private mutating func push(_ pair: Int32, _ minimum: Int) {
    let count = pairs.count(of: pair)
    guard count >= max(1, minimum) else { return }
    let order = order
    queue.push(MergeQueue.Candidate(count: count, pair: pair)) { order.precedes($0, $1) }
  }

  private mutating func pop() -> MergeQueue.Candidate? {
    let order = order
    return queue.pop { order.precedes($0, $1) }
  }

  private var order: Order { Order(pairs: pairs, tokens: tokens) }

  /// The order of merges.
  ///
  /// A value is created for each queue operation and released before the next change to the table
  /// and the tokens. If it were kept, that change would copy them.
  private struct Order {
    let pairs: PairTable
    let tokens: [[UInt8]]

    func precedes(_ a: MergeQueue.Candidate, _ b: MergeQueue.Candidate) -> Bool {
      if a.count != b.count { return a.count > b.count }
      let (left, right) = (pairs.symbols(of: a.pair), pairs.symbols(of: b.pair))
      if left.left != right.left {
        return tokens[Int(left.left)].lexicographicallyPrecedes(tokens[Int(right.left)])
      }
      return tokens[Int(left.right)].lexicographicallyPrecedes(tokens[Int(right.right)])
    }
  }

  /// Replaces all occurrences of a pair with its token; returns the pairs whose counts have grown.
  ///
  /// The table's list of positions can contain outdated ones: an earlier merge may have consumed
  /// either symbol. Each position is therefore checked before it is used.
  ///
  /// The positions are in ascending order, so overlapping occurrences are merged from the left:
  /// in `a a a`, the merge at 0 sets symbol 1 to -1, and the occurrence at 1 is skipped.
  private mutating func join(_ pair: Int32) -> Set<Int32> {
    let (left, right) = pairs.symbols(of: pair)
    let token = self.token(joining: left, right)
    var grown: Set<Int32> = []
    for position in pairs.take(pair) {
      guard symbols[Int(position)] == left, next[Int(position)] >= 0,
        symbols[Int(next[Int(position)])] == right
      else { continue }
      let consumed = Int(next[Int(position)])
      let count = weights[Int(words[Int(position)])]
      // Around the pair, (before, left) becomes (before, token), and (right, after) becomes
      // (token, after). All other pairs are unchanged.
      let (before, after) = (previous[Int(position)], next[consumed])
      if before >= 0 {
        let neighbour = symbols[Int(before)]
        pairs.remove(neighbour, left, count: count)
        grown.insert(pairs.add(neighbour, token, count: count, at: before))
      }
      if after >= 0 {
        let neighbour = symbols[Int(after)]
        pairs.remove(right, neighbour, count: count)
        grown.insert(pairs.add(token, neighbour, count: count, at: position))
        previous[Int(after)] = position
      }
      symbols[Int(position)] = token
      symbols[consumed] = -1
      next[Int(position)] = after
    }
    return grown
  }

  /// The id of the concatenation of two tokens, which is new unless another pair created it before.
  ///
  /// `right` is never at the start of a word, so its first two bytes are `##`.
  private mutating func token(joining left: Int32, _ right: Int32) -> Int32 {
    let joined = tokens[Int(left)] + tokens[Int(right)].dropFirst(2)
    if let id = ids[joined] { return id }
    let id = Int32(tokens.count)
    ids[joined] = id
    tokens.append(joined)
    return id
  }
}
