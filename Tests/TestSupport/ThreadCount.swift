import Foundation

/// The current number of threads of this process.
package func threadCount() -> Int {
  (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
}

/// Whether the number of threads falls below `limit` within three seconds.
///
/// The system takes a moment to remove a thread after it has been joined.
package func threadsFall(below limit: Int) -> Bool {
  for _ in 0..<300 {
    if threadCount() < limit { return true }
    Thread.sleep(forTimeInterval: 0.01)
  }
  return false
}
