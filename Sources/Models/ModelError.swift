/// A model from outside the program that cannot be used.
package enum ModelError: Error, Equatable, CustomStringConvertible {
  case unusable(path: String, reason: String)

  package var description: String {
    switch self {
    case .unusable(let path, let reason): "cannot use \(path): \(reason)"
    }
  }
}

/// An option, or a combination of options, that is not valid.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
