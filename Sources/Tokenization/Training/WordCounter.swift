import Platform
import Synchronization

/// Counts the words of a text of any size over all cores, in bounded memory.
///
/// The text comes in chunks of whole lines. Rounds of chunks are counted in a
/// table for each thread and then added up, so the counts do not depend on the number of threads.
/// When the sum holds too many words, those seen least are forgotten; this happens between rounds
/// and so does not depend on the number of threads either.
struct WordCounter {
  /// The chunks, of about a megabyte each, in a round.
  private static let roundLength = 16

  /// The counts so far.
  private(set) var table = WordTable()
  /// The sightings of words that are too long to have tokens; they are not in the table.
  private(set) var longWords = 0
  private let splitter: WordSplitter
  private let threads: Int
  private let capacity: Int

  /// `capacity` is the number of bytes of different words from which on rare ones are forgotten.
  init(_ normalization: TextNormalization, threads: Int, capacity: Int) {
    splitter = WordSplitter(normalization)
    self.threads = max(1, threads)
    self.capacity = capacity
  }

  /// Counts all chunks that `next` gives until nil. It is called from any thread, but by one at a
  /// time; `text` makes the text of a chunk, on all threads at once. The first error of either, in
  /// the order of the chunks, ends the counting and is passed on.
  mutating func count<Chunk: Sendable>(
    _ next: sending @escaping () throws -> Chunk?,
    text: @escaping @Sendable (Chunk) throws -> [UInt8]
  ) throws {
    let source = ChunkSource(next)
    var roundEnd = 0
    repeat {
      roundEnd += Self.roundLength
      let end = roundEnd
      let splitter = splitter
      let parts = try mapOnThreads(Array(0..<threads), threads: threads) { _ in
        var sink = CountingSink()
        while let (number, chunk) = source.take(before: end) {
          do {
            try text(chunk).withUnsafeBufferPointer { splitter.split($0, into: &sink) }
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

/// Counts words in a table.
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

/// Hands out chunks to threads, a round at a time.
private final class ChunkSource<Chunk: Sendable>: Sendable {
  private struct State {
    let next: () throws -> Chunk?
    /// The number of chunks handed out.
    var taken = 0
    var isAtEnd = false
    /// The error of the earliest chunk that has one.
    var failure: (chunk: Int, error: any Error)?
  }

  private let state: Mutex<State>

  init(_ next: sending @escaping () throws -> Chunk?) { state = Mutex(State(next: next)) }

  /// The next chunk and its number; nil before chunk `end`, at the end of the text, or after an error.
  func take(before end: Int) -> (Int, Chunk)? {
    state.withLock { state in
      guard state.taken < end, !state.isAtEnd else { return nil }
      do {
        if let chunk = try state.next() {
          state.taken += 1
          return (state.taken - 1, chunk)
        }
      } catch {
        state.failure = (state.taken, error)
      }
      state.isAtEnd = true
      return nil
    }
  }

  /// Ends the counting for the sake of a chunk.
  func stop(_ error: any Error, at chunk: Int) {
    state.withLock { state in
      state.isAtEnd = true
      if chunk < state.failure?.chunk ?? .max { state.failure = (chunk, error) }
    }
  }

  /// Whether there may be another round; throws the error that ended this one.
  func hasMore() throws -> Bool {
    try state.withLock { state in
      if let failure = state.failure { throw failure.error }
      return !state.isAtEnd
    }
  }
}
