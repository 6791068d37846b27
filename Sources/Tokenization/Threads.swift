import Dispatch
import Foundation

/// Runs `work` on `count` threads at once, one of them the caller's, and waits for all.
///
/// Threads of their own, and not a pool's: a pool may run everything on one.
package func performOnThreads(_ count: Int, _ work: @escaping @Sendable () -> Void) {
  let others = DispatchGroup()
  for _ in 1..<max(1, count) {
    others.enter()
    Thread {
      work()
      others.leave()
    }.start()
  }
  work()
  others.wait()
}
