import Collectives
import Corpus
import Models
import Platform

/// Converts text to shards on several ranks.
///
/// 1. Groups of consecutive files are distributed over the ranks. Each rank tokenizes its groups,
///    which is most of the work, and keeps the tokens in a `TokenSpool`.
/// 2. Rank zero receives the tokens in the order of the text, builds the examples, and writes the
///    shards.
///
/// Tokens do not depend on the number of a document, only examples do. So the shards are those of
/// one rank, byte for byte, whichever rank tokenizes a file.
///
/// Every rank makes the same calls. An error of one rank is thrown by all of them.
package struct SharedPreparation {
  private let preparation: Preparation
  private let options: TextReader.Options
  private let world: Communicator
  /// Groups of consecutive files, in the order of the text.
  private let groups: [TextFiles.Group]
  private let repeatedFiles: [String]
  /// The bytes of all files, compressed if they are.
  package let totalBytes: Int

  /// Finds the files of the text and checks that all ranks have the same files and vocabulary.
  ///
  /// - Parameters:
  ///   - paths: files and folders, as for `TextReader`, but not standard input.
  ///   - options: of the reader.
  ///   - preparation: the settings of the shards; its threads are those of this rank.
  ///   - world: all ranks.
  /// - Throws: `UsageError` for standard input, `CollectivesError.ranksDisagree` with the first
  ///   file in which ranks differ; errors of `TextReader`.
  package init(
    _ paths: [String], options: TextReader.Options, _ preparation: Preparation, world: Communicator
  ) throws {
    let files = try world.agree {
      if paths.contains("-") {
        throw UsageError(
          "standard input cannot be distributed over ranks; give files, or start one rank")
      }
      return try TextFiles.all(paths)
    }
    let sizes = files.map { TextFiles.bytes([$0]) }
    let tokenizer = try world.agree { try preparation.tokenizerDigest() }
    try world.expectEqual([("vocabulary", tokenizer)])
    try Self.expectEqual(zip(files, sizes).map { "\($0), \($1) bytes" }, world)
    totalBytes = sizes.reduce(0, +)
    repeatedFiles = TextFiles.repeated(files)
    // Enough groups for an even distribution, and not so small that threads idle at their ends.
    groups = TextFiles.groups(files, sizes, bytes: min(64 << 20, totalBytes / (4 * world.size)))
    (self.preparation, self.options, self.world) = (preparation, options, world)
  }

  /// Checks that all ranks have the same list of files; the error names the first difference.
  private static func expectEqual(_ files: [String], _ world: Communicator) throws {
    let digest = SHA256.hexadecimal(Array(files.joined(separator: "\n").utf8))
    let isEqual = try Set(world.gather(Array(digest.utf8))).count == 1
    if isEqual { return }
    try world.expectEqual([("number of text files", "\(files.count)")])
    try world.expectEqual(files.enumerated().map { ("text file \($0 + 1)", $1) })
  }

  /// What the ranks are doing.
  package enum Stage { case tokenizing, writing }

  /// The progress of a stage: bytes of files and tokens of all ranks.
  package typealias Progress = (_ stage: Stage, _ bytes: Int, _ tokens: Int) -> Void

  /// Tokenizes the text on all ranks and writes the folder of shards on rank zero.
  ///
  /// - Parameters:
  ///   - folder: the folder to fill, on rank zero; the caller publishes it.
  ///   - progress: called after each batch of text, on rank zero also while it writes.
  /// - Returns: the contents of `data.json`, on rank zero, and the remarks about all files.
  /// - Throws: the first error that a rank finds, on all ranks.
  package func write(
    into folder: String?, progress: Progress
  ) throws -> (description: DataDescription?, remarks: TextRemarks) {
    var work = try world.agree { try RankTokens(preparation, options, groups) }
    let owners = try tokenize(&work, progress)
    let description = try write(work, owners, into: folder, progress)
    var remarks = try work.remarksOfAllRanks(world)
    remarks.repeatedFiles = repeatedFiles
    return (description, remarks)
  }

  /// Tokenizes all groups; returns the rank that has the tokens of each.
  ///
  /// The ranks meet after every batch of text: a rank without work takes the largest group that
  /// nobody has, and an error of one rank ends the work of all.
  private func tokenize(_ work: inout RankTokens, _ progress: Progress) throws -> [Int] {
    let order = groups.indices.sorted { (groups[$1].bytes, $0) < (groups[$0].bytes, $1) }
    var (owners, next) = ([Int](repeating: 0, count: groups.count), 0)
    var failure: (any Error)?
    while true {
      let failed = failure == nil ? Int.max : work.group ?? 0
      let ranks = try world.gather([work.group ?? -1, failed, work.bytes, work.tokenCount])
      let first = ranks.map { $0[1] }.min() ?? .max
      if first < .max { try world.report(failed == first ? failure : nil) }
      progress(.tokenizing, ranks.reduce(0) { $0 + $1[2] }, ranks.reduce(0) { $0 + $1[3] })
      if next == order.count && ranks.allSatisfy({ $0[0] < 0 }) { return owners }
      for rank in ranks.indices where ranks[rank][0] < 0 && next < order.count {
        owners[order[next]] = rank
        if rank == world.rank { work.begin(order[next]) }
        next += 1
      }
      do { try work.tokenizeBatch() } catch { failure = error }
    }
  }

  /// Sends the tokens to rank zero, which writes the shards into `folder`.
  private func write(
    _ work: RankTokens, _ owners: [Int], into folder: String?, _ progress: Progress
  ) throws -> DataDescription? {
    guard world.rank == 0 else {
      try world.agree { try work.send(owners, world) }
      return nil
    }
    let stream = TokenStream(work, owners, world)
    let result = Result {
      try preparation.write(stream.next, into: folder ?? "") { progress(.writing, $0, $1) }
    }
    var failure: (any Error)?
    if case .failure(let error) = result {
      failure = error
      // The senders wait until rank zero has received all tokens, also after a failed write.
      try stream.discardRest()
    }
    // Without the tokens of a sender that failed, other errors only follow from its error.
    try world.report(stream.hasFailedSender ? nil : failure)
    return try result.get()
  }
}
