/// Problems of files that do not prevent reading.
package enum TextWarning: Sendable, Hashable {
  /// Other bytes follow the compressed data.
  case trailingBytes
  /// The file has WikiExtractor's default output format.
  case markup

  fileprivate func sentence(_ files: String) -> String {
    switch self {
    case .trailingBytes:
      "\(files): gzip warns of bytes after the compressed data; they are ignored"
    case .markup:
      "\(files): WikiExtractor's <doc ...> and </doc> lines are read as text and its titles as "
        + "documents; run WikiExtractor with --json instead"
    }
  }
}

/// The warnings of many files, merged into one sentence per kind.
package struct TextWarnings: Sendable {
  private var files: [(warning: TextWarning, first: String, count: Int)] = []

  package init() {}

  /// Adds the warning of a file, if it has one; call it after the file was read.
  package mutating func add(_ source: ByteSource) {
    guard let warning = source.warning else { return }
    if let index = files.firstIndex(where: { $0.warning == warning }) {
      files[index].count += 1
    } else {
      files.append((warning, displayName(source.path), 1))
    }
  }

  /// One sentence per kind, which names the first file and counts the others.
  package var sentences: [String] {
    files.map { warning, first, count in
      warning.sentence(count == 1 ? first : "\(first) and \(count - 1) more files")
    }
  }
}
