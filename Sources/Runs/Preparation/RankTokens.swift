import Collectives
import Corpus
import Platform

/// The groups of files that this rank tokenizes, and their tokens.
///
///     work.begin(3)
///     while work.group != nil { try work.tokenizeBatch() }
struct RankTokens {
  /// A group whose files are being read.
  private struct Current {
    let group: Int
    let reader: TextReader
    var batches: BatchedMap<TextBlock>
  }

  private let preparation: Preparation
  private let options: TextReader.Options
  private let groups: [TextFiles.Group]
  private let spool: TokenSpool
  /// The blocks of each group in the spool; empty for groups of other ranks.
  private var blocks: [[Range<Int>]]
  /// The remarks about the files of each group that this rank has read.
  private var remarks: [Int: TextRemarks] = [:]
  private var current: Current?
  /// The bytes of files and the tokens of this rank so far.
  private(set) var bytes = 0
  private(set) var tokenCount = 0

  /// The group in progress; nil if there is none.
  var group: Int? { current?.group }

  /// Throws `FileError.unwritable` if the spool cannot be created.
  init(
    _ preparation: Preparation, _ options: TextReader.Options, _ groups: [TextFiles.Group]
  ) throws {
    (self.preparation, self.options, self.groups) = (preparation, options, groups)
    spool = try TokenSpool()
    blocks = Array(repeating: [], count: groups.count)
  }

  /// Makes `group` the one in progress.
  mutating func begin(_ group: Int) {
    let reader = TextReader(files: groups[group].files, options: options)
    current = Current(
      group: group, reader: reader, batches: preparation.tokenBatches { try reader.next() })
  }

  /// Tokenizes a batch of the group in progress, and ends the group after its last one.
  ///
  /// Without a group it does nothing. Throws the first error in the group, which then stays in
  /// progress.
  mutating func tokenizeBatch() throws {
    guard var current else { return }
    let stored = try preparation.nextTokens(&current.batches) ?? []
    self.current = current.batches.isAtEnd ? nil : current
    if current.batches.isAtEnd { remarks[current.group] = current.reader.remarks }
    for block in stored {
      bytes += block.inputBytes
      tokenCount += block.tokenCount
      blocks[current.group].append(try spool.append(block.bytes))
    }
  }

  /// The block with this index in a group of this rank; nil after the last one.
  ///
  /// Throws `FileError.unreadable`.
  func block(_ index: Int, of group: Int) throws -> StoredTokens? {
    guard index < blocks[group].count else { return nil }
    return StoredTokens(bytes: try spool.read(blocks[group][index]))
  }

  /// Sends the groups of this rank to rank zero in order, an empty message after each.
  ///
  /// `owners` has the rank of each group. After a failed read, the mark of a failure is sent and no
  /// block any more, but the empty messages for which rank zero waits are; then the error is
  /// thrown.
  func send(_ owners: [Int], _ world: Communicator) throws {
    var failure: (any Error)?
    for group in owners.indices where owners[group] == world.rank {
      var index = 0
      while failure == nil {
        do {
          guard let block = try block(index, of: group) else { break }
          try world.send(block.bytes, to: 0)
        } catch {
          failure = error
          try world.send(TokenStream.failureMark, to: 0)
        }
        index += 1
      }
      try world.send([], to: 0)
    }
    if let failure { throw failure }
  }

  /// The remarks about the files of all ranks, in the order of the text; every rank must call it.
  func remarksOfAllRanks(_ world: Communicator) throws -> TextRemarks {
    let all = try world.gather(json: remarks)
    let ordered = all.flatMap { Array($0) }.sorted { $0.key < $1.key }
    return ordered.reduce(into: TextRemarks()) { $0.add($1.value) }
  }
}

/// The tokens of all groups in the order of the text, on rank zero.
final class TokenStream {
  private let work: RankTokens
  private let owners: [Int]
  private let world: Communicator
  private var group = 0
  private var index = 0
  /// Whether a rank could not send all its tokens.
  private(set) var hasFailedSender = false

  /// The message of a rank that cannot send its next block; shorter than any block.
  static let failureMark: [UInt8] = [0]

  /// `work` are the tokens of rank zero, `owners` the rank of each group.
  init(_ work: RankTokens, _ owners: [Int], _ world: Communicator) {
    (self.work, self.owners, self.world) = (work, owners, world)
  }

  /// The next block; nil after the last one.
  ///
  /// Throws `FileError.unreadable` or an error of the communication.
  func next() throws -> StoredTokens? {
    while group < owners.count {
      if let block = owners[group] == 0 ? try work.block(index, of: group) : try received() {
        index += 1
        return block
      }
      (group, index) = (group + 1, 0)
    }
    return nil
  }

  /// Receives a block of the current group from its owner; nil after the last one.
  private func received() throws -> StoredTokens? {
    var bytes = try world.receive(from: owners[group])
    if bytes == Self.failureMark {
      hasFailedSender = true
      bytes = try world.receive(from: owners[group])
    }
    return bytes.isEmpty ? nil : StoredTokens(bytes: bytes)
  }

  /// Receives and discards the blocks of other ranks that `next` has not returned.
  func discardRest() throws {
    while group < owners.count {
      if owners[group] != 0, try received() != nil { continue }
      group += 1
    }
  }
}
