/// Problems of files that do not prevent reading.
package enum TextWarning: String, Sendable, Codable {
  /// Other bytes follow the compressed data.
  case trailingBytes

  fileprivate func sentence(_ files: String) -> String {
    switch self {
    case .trailingBytes:
      "\(files): gzip warns of bytes after the compressed data; they are ignored"
    }
  }
}

/// The warnings of many files, merged into one sentence per kind.
package struct TextWarnings: Sendable, Codable {
  /// The files with one kind of warning.
  private struct Files: Sendable, Codable {
    let warning: TextWarning
    let first: String
    var count: Int
  }

  private var files: [Files] = []

  package init() {}

  /// Adds the warning of a file, if it has one; call it after the file was read.
  package mutating func add(_ source: ByteSource) {
    guard let warning = source.warning else { return }
    add(Files(warning: warning, first: displayName(source.path), count: 1))
  }

  /// Adds the warnings about later files.
  package mutating func add(_ later: Self) { later.files.forEach { add($0) } }

  private mutating func add(_ later: Files) {
    if let index = files.firstIndex(where: { $0.warning == later.warning }) {
      files[index].count += later.count
    } else {
      files.append(later)
    }
  }

  /// One sentence per kind, which names the first file and counts the others.
  package var sentences: [String] {
    files.map {
      $0.warning.sentence($0.count == 1 ? $0.first : "\($0.first) and \($0.count - 1) more files")
    }
  }
}
