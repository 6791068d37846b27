import Foundation

/// The threads of this process now.
package func threadCount() -> Int {
  (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
}

/// Whether the process comes to have fewer than `limit` threads within a few seconds: the system takes
/// a moment to remove a thread that has been joined.
package func threadsFall(below limit: Int) -> Bool {
  for _ in 0..<300 {
    if threadCount() < limit { return true }
    Thread.sleep(forTimeInterval: 0.01)
  }
  return false
}
