/// Errors in the contents of a text file.
package enum TextError: Error, Equatable, CustomStringConvertible {
  /// A line is not UTF-8.
  case notUTF8(path: String, line: Int)
  /// The file is not UTF-8 text; `decompressor` is the program that decompressed it, if any.
  case notText(path: String, content: FileContent, decompressor: String?)
  /// The decompressor failed or is not installed.
  case decompressionFailed(path: String, program: String, reason: String)
  /// The file does not have the expected contents.
  case unusable(path: String, reason: String)

  package var description: String {
    switch self {
    case .notUTF8(let path, let line):
      "\(displayName(path)), line \(line): not UTF-8; convert it (iconv -f ENCODING -t UTF-8)"
    case .notText(let path, let content, let decompressor):
      content.sentence(path: path, decompressor: decompressor)
    case .decompressionFailed(let path, let program, let reason):
      "\(program) could not decompress \(displayName(path)): \(reason)"
    case .unusable(let path, let reason): "cannot use \(displayName(path)): \(reason)"
    }
  }
}
