/// What can be wrong with a model that somebody else made.
package enum ModelError: Error, Equatable, CustomStringConvertible {
  case unusable(path: String, reason: String)

  package var description: String {
    switch self {
    case .unusable(let path, let reason): "cannot use \(path): \(reason)"
    }
  }
}

/// An option or a set of options that cannot be.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
