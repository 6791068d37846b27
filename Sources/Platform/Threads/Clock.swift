import Dispatch

/// Seconds on a clock that only runs forward.
package func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
