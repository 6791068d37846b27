import Platform

/// What a user should know about the files of a text after they were read.
package struct TextRemarks: Sendable, Codable {
  /// The warnings about the files.
  var warnings = TextWarnings()
  /// The number of files without text that were skipped.
  package internal(set) var skippedFiles = 0
  /// The files that are given more than once.
  package var repeatedFiles: [String] = []

  package init() {}

  /// Adds the remarks about later files of the same text.
  package mutating func add(_ later: Self) {
    warnings.add(later.warnings)
    skippedFiles += later.skippedFiles
    repeatedFiles += later.repeatedFiles
  }

  /// One sentence per remark.
  package var sentences: [String] {
    var sentences = warnings.sentences
    if skippedFiles > 0 { sentences.append("skipped \(skippedFiles.of("file")) without text") }
    if !repeatedFiles.isEmpty {
      sentences.append(
        "\(shortList(repeatedFiles)): given more than once, and read as often; give each file once")
    }
    return sentences
  }
}
