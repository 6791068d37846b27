/// Builds tokens from characters: again and again it joins the pair of neighbouring symbols that is
/// seen most often, as byte-pair encoding does (Sennrich et al., 2016), with counts kept up to date
/// in the neighbourhood of each merge only.
///
/// Among pairs seen equally often, the one whose left token, then whose right token, comes first byte
/// by byte is joined first.
///
/// All words lie end to end in `symbols`; a merge leaves its right place empty, and `next` and
/// `previous` lead from symbol to symbol inside a word.
struct PairMerger {
  /// The tokens: those at the start first, then one for each merge that made a new one.
  private(set) var tokens: [[UInt8]]
  private var ids: [[UInt8]: Int32]
  private var symbols: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// The word of each place and the count of each word.
  private var words: [Int32] = []
  private var weights: [Int] = []
  private var pairs = PairTable()
  private var queue = MergeQueue()

  /// Starts with the special tokens and the alphabet; they all differ.
  init(tokens: [[UInt8]]) {
    self.tokens = tokens
    ids = Dictionary(uniqueKeysWithValues: zip(tokens, Int32(0)...))
  }

  /// Adds a word as its characters' ids, seen `count` times.
  mutating func addWord(_ characters: [Int32], count: Int) {
    let start = Int32(symbols.count)
    let end = start + Int32(characters.count)
    for (place, character) in zip(start..., characters) {
      symbols.append(character)
      next.append(place + 1 < end ? place + 1 : -1)
      previous.append(place > start ? place - 1 : -1)
      words.append(Int32(weights.count))
      if place > start {
        _ = pairs.add(symbols[Int(place) - 1], character, count: count, at: place - 1)
      }
    }
    weights.append(count)
  }

  /// Joins pairs seen at least `minimum` times until there are `size` tokens, and calls `progress`
  /// with the number of tokens now and then.
  mutating func merge(to size: Int, atLeast minimum: Int, progress: (Int) -> Void) {
    for pair in 0..<Int32(pairs.pairCount) { push(pair, minimum) }
    while tokens.count < size, let candidate = pop() {
      let count = pairs.count(of: candidate.pair)
      if count != candidate.count {
        push(candidate.pair, minimum)
        continue
      }
      for pair in join(candidate.pair) { push(pair, minimum) }
      if tokens.count % 256 == 0 { progress(tokens.count) }
    }
  }

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

  /// The order of merges; it shares the storage of what it looks at for a moment.
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

  /// Replaces a pair by its token everywhere; returns the pairs that are seen more often now.
  private mutating func join(_ pair: Int32) -> Set<Int32> {
    let (left, right) = pairs.symbols(of: pair)
    let token = self.token(joining: left, right)
    var grown: Set<Int32> = []
    for place in pairs.take(pair) {
      guard symbols[Int(place)] == left, next[Int(place)] >= 0,
        symbols[Int(next[Int(place)])] == right
      else { continue }
      let consumed = Int(next[Int(place)])
      let count = weights[Int(words[Int(place)])]
      let (before, after) = (previous[Int(place)], next[consumed])
      if before >= 0 {
        let neighbour = symbols[Int(before)]
        pairs.remove(neighbour, left, count: count)
        grown.insert(pairs.add(neighbour, token, count: count, at: before))
      }
      if after >= 0 {
        let neighbour = symbols[Int(after)]
        pairs.remove(right, neighbour, count: count)
        grown.insert(pairs.add(token, neighbour, count: count, at: place))
        previous[Int(after)] = place
      }
      symbols[Int(place)] = token
      symbols[consumed] = -1
      next[Int(place)] = after
    }
    return grown
  }

  /// The id of the token that two tokens make, new if no other pair made it before.
  private mutating func token(joining left: Int32, _ right: Int32) -> Int32 {
    let joined = tokens[Int(left)] + tokens[Int(right)].dropFirst(2)
    if let id = ids[joined] { return id }
    let id = Int32(tokens.count)
    ids[joined] = id
    tokens.append(joined)
    return id
  }
}
