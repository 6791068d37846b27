import Platform

extension Communicator {
  /// Runs `body` on every rank, and throws on every rank if it throws on any.
  ///
  /// A failed rank throws its error; the others throw `rankFailed` with the message of the first
  /// failed rank. So no rank continues to a collective call that the others never make. Collective.
  package func agree<Result>(_ body: () throws -> Result) throws -> Result {
    var result: Result?
    var failure: (any Error)?
    do { result = try body() } catch { failure = error }
    try report(failure)
    guard let result else { preconditionFailure("neither a result nor an error") }
    return result
  }

  /// The second half of `agree`: exchanges the errors of all ranks, and throws if there is one.
  package func report(_ failure: (any Error)?) throws {
    let messages = try gather(Array((failure.map { "\($0)" } ?? "").utf8))
    guard let rank = messages.firstIndex(where: { !$0.isEmpty }) else { return }
    let hosts = try gather(Array(hostName().utf8))
    throw failure
      ?? CollectivesError.rankFailed(
        rank: rank, host: String(decoding: hosts[rank], as: UTF8.self),
        text: String(decoding: messages[rank], as: UTF8.self))
  }

  /// Checks that each key has the same value on all ranks, and throws `ranksDisagree` otherwise.
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
