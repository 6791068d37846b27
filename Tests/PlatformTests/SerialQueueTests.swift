import Platform
import Synchronization
import TestSupport
import Testing

struct SerialQueueTests {
  private struct Broken: Error, Equatable { let number: Int }

  @Test
  func jobsRunInOrderAndLaterOnesAreSkippedAfterAnError() throws {
    let queue = SerialQueue()
    defer { queue.end() }
    let trace = Shared<[Int]>([])
    for number in 0..<10 { _ = queue.submit { trace.value.withLock { $0.append(number) } } }
    try queue.wait()
    #expect(trace.value.withLock { $0 } == Array(0..<10))
    let good = queue.submit {}
    try queue.wait(for: good)
    #expect(queue.isDone(good))
    let bad = queue.submit { throw Broken(number: 1) }
    let later = queue.submit { trace.value.withLock { $0.append(99) } }
    #expect(throws: Broken(number: 1)) { try queue.wait(for: bad) }
    #expect(throws: Broken(number: 1)) { try queue.wait(for: later) }
    #expect(throws: Broken(number: 1)) { try queue.wait() }
    #expect(trace.value.withLock { $0.last } == 9)
  }

  @Test
  func theEndWaitsForWhatWasSubmitted() {
    let queue = SerialQueue()
    let (gate, done) = (Monitor(false), Shared(0))
    _ = queue.submit {
      gate.wait {
        $0
      } then: { _ in
      }
    }
    for _ in 0..<5 { _ = queue.submit { done.value.withLock { $0 += 1 } } }
    #expect(done.value.withLock { $0 } == 0)
    gate.withLock { $0 = true }
    gate.wakeAll()
    queue.end()
    #expect(done.value.withLock { $0 } == 5)
    queue.end()
  }

  /// If a job holds the last reference to its queue, the queue is ended on the queue's own thread.
  @Test
  func aQueueMayEndWithinItsOwnJob() {
    let (gate, isOver) = (Monitor(false), Monitor(false))
    var queue: SerialQueue? = SerialQueue()
    _ = queue?.submit { [queue] in
      gate.wait {
        $0
      } then: { _ in
      }
      queue?.end()
      isOver.withLock { $0 = true }
      isOver.wakeAll()
    }
    queue = nil
    gate.withLock { $0 = true }
    gate.wakeAll()
    #expect(isOver.wait(seconds: 10) { $0 })
  }

  /// In a separate process, because other tests start threads too.
  @Test
  func noThreadIsLeft() async {
    await #expect(processExitsWith: .success) {
      let before = threadCount()
      for _ in 0..<20 {
        let queue = SerialQueue()
        try queue.wait(for: queue.submit {})
        queue.end()
      }
      for _ in 0..<20 { try SerialQueue().wait() }
      precondition(threadsFall(below: before + 10), "\(threadCount()) threads, \(before) before")
    }
  }

  @Test
  func aThreadThatIsRefusedIsReported() async {
    #expect(throws: ThreadError.self) { _ = try startThread(stackBytes: 1 << 47) {} }
    let result = await #expect(
      processExitsWith: .exitCode(ResourceShortage.status), observing: [\.standardErrorContent]
    ) {
      refuseThreads()
      // All exist at once, because the stack of a thread that has ended is used again for the next
      // one.
      let queues = (0..<100).map { _ in SerialQueue() }
      withExtendedLifetime(queues) {}
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("electra: no thread can be started on "), "\(text)")
  }
}

/// A value that jobs change.
final class Shared<Value: Sendable>: Sendable {
  let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
}
