import Platform

extension Communicator {
  /// Runs `body` on every rank; when it throws on any, all ranks throw: the one that failed its own
  /// error, the others that rank's sentence. No rank goes on alone into a call that others miss.
  package func agree<Result>(_ body: () throws -> Result) throws -> Result {
    var result: Result?
    var failure: (any Error)?
    do { result = try body() } catch { failure = error }
    try report(failure)
    guard let result else { preconditionFailure("neither a result nor an error") }
    return result
  }

  /// The second half of `agree`: every rank says whether it failed, and all throw if one did.
  package func report(_ failure: (any Error)?) throws {
    let sentences = try gather(Array((failure.map { "\($0)" } ?? "").utf8))
    guard let rank = sentences.firstIndex(where: { !$0.isEmpty }) else { return }
    let hosts = try gather(Array(hostName().utf8))
    throw failure
      ?? CollectivesError.rankFailed(
        rank: rank, host: String(decoding: hosts[rank], as: UTF8.self),
        text: String(decoding: sentences[rank], as: UTF8.self))
  }

  /// Checks that all ranks hold the same text under each key.
  package func expectEqual(_ values: [(key: String, value: String)]) throws {
    for (key, value) in values {
      let all = try gather(Array(value.utf8))
      if let rank = all.firstIndex(where: { $0 != all[0] }) {
        let hosts = try gather(Array(hostName().utf8))
        throw CollectivesError.ranksDisagree(
          key: key, rank: rank, host: String(decoding: hosts[rank], as: UTF8.self),
          value: String(decoding: all[rank], as: UTF8.self),
          first: String(decoding: all[0], as: UTF8.self))
      }
    }
  }
}
