/// What there is to say of files that can be read all the same.
package enum TextWarning: Sendable, Hashable {
  /// Something else lies behind the packed data.
  case trailingBytes
  /// The file is what WikiExtractor writes.
  case markup

  fileprivate func sentence(_ files: String) -> String {
    switch self {
    case .trailingBytes:
      "\(files): gzip warns of bytes behind the packed data, which are left out"
    case .markup:
      "\(files): the lines <doc ...> and </doc> that WikiExtractor writes are read as text, and its "
        + "titles as documents; write JSON lines with its option --json instead"
    }
  }
}

/// The warnings of many files: one sentence for each kind.
package struct TextWarnings: Sendable {
  private var files: [(warning: TextWarning, first: String, count: Int)] = []

  package init() {}

  /// Notes the warning of a file that was read, if it has one.
  package mutating func add(_ source: ByteSource) {
    guard let warning = source.warning else { return }
    if let index = files.firstIndex(where: { $0.warning == warning }) {
      files[index].count += 1
    } else {
      files.append((warning, displayName(source.path), 1))
    }
  }

  package var sentences: [String] {
    files.map { warning, first, count in
      warning.sentence(count == 1 ? first : "\(first) and \(count - 1) more files")
    }
  }
}
