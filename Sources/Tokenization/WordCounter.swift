import Dispatch
import Synchronization

/// Counts the words of a text of any size over all cores, in bounded memory.
///
/// The text comes in chunks of whole lines. Rounds of chunks, cut by size alone, are counted in a
/// table for each thread and then added up, so the counts do not depend on the number of threads.
/// When the sum holds too many words, those seen least are forgotten; this happens between rounds
/// and so does not depend on the number of threads either.
struct WordCounter {
  /// The bytes of text in a round.
  private static let roundSize = 32 << 20

  /// The counts so far.
  private(set) var table = WordTable()
  private let splitter: WordSplitter
  private let threads: Int
  private let capacity: Int

  /// `capacity` is the number of bytes of different words from which on rare ones are forgotten.
  init(_ normalization: TextNormalization, threads: Int, capacity: Int = 32 << 20) {
    splitter = WordSplitter(normalization)
    self.threads = max(1, threads)
    self.capacity = capacity
  }

  /// Counts all chunks that `next` gives until nil. It is called from any thread, but by one at a
  /// time, and in order. Its errors are passed on.
  mutating func count(_ next: @escaping @Sendable () throws -> [UInt8]?) throws {
    let source = ChunkSource(next)
    repeat {
      source.beginRound(of: Self.roundSize)
      let splitter = splitter
      let counted = Gathered()
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        var sink = CountingSink()
        while let chunk = source.take() {
          chunk.withUnsafeBufferPointer { splitter.split($0, into: &sink) }
        }
        counted.add(sink.table)
      }
      for part in counted.tables { table.add(part) }
      if table.byteCount > capacity {
        table = table.keeping(atLeast: table.minimumCount(fitting: capacity / 2))
      }
    } while try source.hasMore()
  }
}

/// Counts words in a table.
private struct CountingSink: WordSink {
  static var wantsSources: Bool { false }
  var table = WordTable()

  @inline(__always)
  mutating func word(_ word: WordBuffer) {
    if !word.isTooLong { table.add(word.contents, count: 1) }
  }

  mutating func special(_ id: Int32, from range: Range<Int>) {}
}

/// Hands out chunks to threads, a round at a time.
private final class ChunkSource: Sendable {
  private struct State {
    /// The bytes that the round still has room for.
    var left = 0
    var isAtEnd = false
    var error: (any Error)?
  }

  private let next: @Sendable () throws -> [UInt8]?
  private let state = Mutex(State())

  init(_ next: @escaping @Sendable () throws -> [UInt8]?) { self.next = next }

  func beginRound(of size: Int) { state.withLock { $0.left = size } }

  /// The next chunk, or nil at the end of the round or the text, or after an error.
  func take() -> [UInt8]? {
    state.withLock { state in
      guard state.left > 0, !state.isAtEnd else { return nil }
      do {
        let chunk = try next()
        state.left -= chunk?.count ?? 0
        state.isAtEnd = chunk == nil
        return chunk
      } catch {
        state.error = error
        state.isAtEnd = true
        return nil
      }
    }
  }

  /// Whether there may be another round; throws the error that ended this one.
  func hasMore() throws -> Bool {
    try state.withLock { state in
      if let error = state.error { throw error }
      return !state.isAtEnd
    }
  }
}

/// The tables of the threads, in the order in which they were done, which does not matter.
private final class Gathered: Sendable {
  private let parts = Mutex<[WordTable]>([])
  var tables: [WordTable] { parts.withLock { $0 } }
  func add(_ table: WordTable) { parts.withLock { $0.append(table) } }
}
