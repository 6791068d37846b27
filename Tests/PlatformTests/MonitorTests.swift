import Platform
import Testing

struct MonitorTests {
  @Test
  func aWaitEndsWhenTheConditionHoldsOrTheTimeIsUp() throws {
    let monitor = Monitor(0)
    #expect(!monitor.wait(seconds: 0.02) { $0 == 1 })
    try performOnThreads(2) {
      monitor.withLock { $0 += 1 }
      monitor.wakeAll()
      #expect(monitor.wait(seconds: 10) { $0 >= 2 })
    }
    let product = monitor.wait {
      $0 == 2
    } then: {
      $0 * 10
    }
    #expect(product == 20)
    #expect(monitor.wait(seconds: 0) { $0 == 2 })
  }

  @Test
  func errorsOfABodyReleaseTheLock() {
    struct Broken: Error {}
    let monitor = Monitor(1)
    #expect(throws: Broken.self) { try monitor.withLock { _ throws(Broken) in throw Broken() } }
    #expect(monitor.withLock { $0 } == 1)
  }
}
