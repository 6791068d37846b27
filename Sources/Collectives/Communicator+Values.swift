extension Communicator {
  /// The numbers of all ranks, in rank order; counts may differ.
  package func gather<Number: BitwiseCopyable>(
    _ values: [Number]
  ) throws(CollectivesError) -> [[Number]] {
    let bytes = values.withUnsafeBytes { Array($0) }
    return try gather(bytes).map { part in
      part.withUnsafeBytes { raw in
        (0..<raw.count / MemoryLayout<Number>.stride).map {
          raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.stride, as: Number.self)
        }
      }
    }
  }

  /// Whether `value` is true on any rank; the same on all ranks, which must all call it.
  package func anyRank(_ value: Bool) throws(CollectivesError) -> Bool {
    try sum([value ? 1 : 0])[0] > 0
  }

  /// Returns rank zero's bytes on all ranks.
  package func broadcast(_ bytes: [UInt8]) throws(CollectivesError) -> [UInt8] {
    try gather(rank == 0 ? bytes : [])[0]
  }

  /// The number of ranks of each host, if consecutive ranks share a host and all hosts have equally
  /// many; otherwise 1, and also if there is one host only.
  package func ranksPerHost() throws(CollectivesError) -> Int {
    let host = try onThisHost()
    defer { host.free() }
    let ranks = try host.gather([rank]).flatMap(\.self)
    let first = rank - rank % ranks.count
    let isRegular = ranks == Array(first..<first + ranks.count) && ranks.count < size
    let counts = Set(try gather([isRegular ? ranks.count : 1]).flatMap(\.self))
    return counts.count == 1 ? counts.first ?? 1 : 1
  }
}
