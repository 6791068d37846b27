import Platform
import Synchronization

/// Counts the words of a text of any size on all cores, in bounded memory.
///
/// The text arrives in blocks of whole lines. The threads count a batch of blocks, each in a table
/// of its own; then the tables are added. So the counts do not depend on the number of threads. If
/// the sum has too many words, the rarest are discarded. This happens only between batches, whose
/// size is fixed, so it does not depend on the number of threads either.
struct WordCounter {
  /// The number of blocks, of about a megabyte each, in a batch.
  private static let blocksPerBatch = 16

  /// The counts so far.
  private(set) var table = WordTable()
  /// The occurrences of words that are too long to have tokens; the table omits these words.
  private(set) var longWords = 0
  private let splitter: WordSplitter
  private let threads: Int
  private let capacity: Int

  /// Creates a counter that discards rare words above `capacity` bytes of distinct words.
  init(_ normalization: TextNormalization, threads: Int, capacity: Int) {
    splitter = WordSplitter(normalization)
    self.threads = max(1, threads)
    self.capacity = capacity
  }

  /// Counts the words of all blocks that `next` returns until nil.
  ///
  /// `next` is called from any thread, but never concurrently; `text` returns the text of a block
  /// and is called concurrently. The first error of either, in the order of the blocks, ends the
  /// count and is rethrown.
  mutating func count<Block: Sendable>(
    _ next: sending @escaping () throws -> Block?,
    text: @escaping @Sendable (Block) throws -> [UInt8]
  ) throws {
    let source = BlockSource(next)
    var batchEnd = 0
    repeat {
      batchEnd += Self.blocksPerBatch
      let end = batchEnd
      let splitter = splitter
      let parts = try mapOnThreads(Array(0..<threads), threads: threads) { _ in
        var sink = CountingSink()
        while let (number, block) = source.take(before: end) {
          do {
            try text(block).withUnsafeBufferPointer { splitter.split($0, into: &sink) }
          } catch {
            source.stop(error, at: number)
          }
        }
        return sink
      }
      for part in parts {
        table.add(part.table)
        longWords += part.longWords
      }
      if table.byteCount > capacity {
        table = table.keeping(atLeast: table.minimumCount(fitting: capacity / 2))
      }
    } while try source.hasMore()
  }
}

/// Adds words to a table.
private struct CountingSink: WordSink {
  static var wantsSources: Bool { false }
  var table = WordTable()
  var longWords = 0

  @inline(__always)
  mutating func word(_ word: WordBuffer) {
    if word.isTooLong {
      longWords += 1
    } else {
      table.add(word.contents, count: 1)
    }
  }

  mutating func special(_ id: Int32, from range: Range<Int>) {}
}

/// Distributes the blocks of a batch to threads.
private final class BlockSource<Block: Sendable>: Sendable {
  private struct State {
    let next: () throws -> Block?
    /// The number of blocks distributed so far.
    var taken = 0
    var isAtEnd = false
    /// The error of the first block, in the order of the text, that has one.
    var failure: (block: Int, error: any Error)?
  }

  private let state: Mutex<State>

  init(_ next: sending @escaping () throws -> Block?) { state = Mutex(State(next: next)) }

  /// The next block and its number; nil if that is `end`, at the end of the text, or after an
  /// error.
  func take(before end: Int) -> (Int, Block)? {
    state.withLock { state in
      guard state.taken < end, !state.isAtEnd else { return nil }
      do {
        if let block = try state.next() {
          state.taken += 1
          return (state.taken - 1, block)
        }
      } catch {
        state.failure = (state.taken, error)
      }
      state.isAtEnd = true
      return nil
    }
  }

  /// Reports an error in `block`; no more blocks are distributed.
  ///
  /// Blocks that are already in progress may report later; the error of the lowest number is kept.
  func stop(_ error: any Error, at block: Int) {
    state.withLock { state in
      state.isAtEnd = true
      if block < state.failure?.block ?? .max { state.failure = (block, error) }
    }
  }

  /// Whether another batch may follow; throws the error that ended this one.
  func hasMore() throws -> Bool {
    try state.withLock { state in
      if let failure = state.failure { throw failure.error }
      return !state.isAtEnd
    }
  }
}
