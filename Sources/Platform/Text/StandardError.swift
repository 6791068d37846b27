import Foundation

/// Writes to standard error as it is.
/// A failure to do so ends nothing.
package func standardError(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}

/// Writes a sentence about what is amiss and ends nothing.
package func warn(_ sentence: String) { standardError("electra: \(sentence)\n") }
