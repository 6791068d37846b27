import Dispatch

/// Seconds on the monotonic clock, whose zero is arbitrary.
package func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
