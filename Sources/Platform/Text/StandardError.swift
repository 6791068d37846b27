import Foundation

/// Writes `text` to standard error; errors are ignored.
package func standardError(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}

/// Prints a warning on standard error.
package func warn(_ sentence: String) { standardError("electra: \(sentence)\n") }
