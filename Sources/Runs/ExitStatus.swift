/// What the program's exit status tells a script (sysexits.h where it has a word for it).
package enum ExitStatus: Int32 {
  case success = 0
  case usage = 64
  case badData = 65
  case missingFile = 66
  case diverged = 70
  /// The system refused memory or a thread: `ResourceShortage`, which ends the program itself.
  case shortage = 71
  case cannotCreate = 73
  case inputOutput = 74
  case stopped = 75
  /// A deadline passed: a rank hangs.
  case late = 76
  /// A run stopped itself because of its health.
  case unhealthy = 77
  case disagreement = 78
}
