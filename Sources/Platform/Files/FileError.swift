import Glibc

/// Errors of files and folders that do not depend on their contents.
package enum FileError: Error, Equatable, CustomStringConvertible {
  case missing(path: String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  /// The output exists already.
  case exists(path: String)
  /// Another running job is making the same output in `partial`.
  case inProgress(path: String, partial: String)

  /// The error for a call that has just failed to open or read the file, from `errno`.
  package static func reading(_ path: String) -> FileError {
    errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: systemReason())
  }

  package var description: String {
    switch self {
    case .missing(let path): "there is no file \(path)"
    case .unreadable(let path, let reason): "cannot read \(displayName(path)): \(reason)"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .exists(let path): "\(path) exists; remove it or choose another output"
    case .inProgress(let path, let partial):
      "another job is making \(path), in \(partial); wait for it or choose another output"
    }
  }
}

/// The text for a system error number; by default for `errno`, the number of the call that just
/// failed.
package func systemReason(_ code: Int32 = errno) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
  return decodeCString(buffer)
}
