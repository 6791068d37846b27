/// The exit statuses of the program.
///
/// The names of sysexits.h apply where it has one. `is_final` in `Launch/environment.sh`, which
/// decides whether to start a run again, and `Launch/electra.py` repeat these numbers.
package enum ExitStatus: Int32 {
  case success = 0
  case usage = 64
  case badData = 65
  case missingFile = 66
  /// A loss or gradient is not finite.
  case diverged = 70
  /// The system refused memory or a thread; `ResourceShortage` ends the program itself.
  case shortage = 71
  case cannotCreate = 73
  case inputOutput = 74
  /// Stopped as requested; a run resumes from its newest checkpoint.
  case stopped = 75
  /// A deadline of the watchdog passed: a rank hangs.
  case late = 76
  /// A fatal health warning stopped the run, with a checkpoint.
  case unhealthy = 77
  /// The ranks do not fit together: other programs, options or data.
  case disagreement = 78
}
