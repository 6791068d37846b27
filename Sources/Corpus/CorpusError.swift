/// What can be wrong with text and shards.
package enum CorpusError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  case noText(inputs: String)
  case emptyFile(path: String)
  case binary(path: String, line: Int)
  case notUTF8(path: String, line: Int)
  case notJSON(path: String, line: Int)
  case decompressionFailed(path: String, program: String, reason: String)
  case emptyHeldOut(documents: Int, fraction: Double)
  case outputExists(path: String)
  case notAShard(path: String, reason: String)
  case damagedBlock(path: String, block: Int)
  case otherVocabulary(path: String)
  case otherLength(wanted: Int, prepared: Int, path: String)
  case tooFew(path: String, split: String)

  package var description: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .noText(let inputs): "there is no text in \(inputs)"
    case .emptyFile(let path):
      "there is no text in \(path); remove it, or pass over such files with --invalid-text skip"
    case .binary(let path, let line):
      "\(path), line \(line): a NUL byte; this is no text (--invalid-text skip passes over it)"
    case .notUTF8(let path, let line):
      "\(path), line \(line): not UTF-8; convert it (iconv -f latin1 -t utf-8), or pass over such "
        + "lines with --invalid-text skip"
    case .notJSON(let path, let line):
      "\(path), line \(line): not a JSON object of at most 64 MB with a \"text\" field "
        + "(--invalid-text skip passes over it)"
    case .decompressionFailed(let path, let program, let reason):
      "\(program) could not unpack \(path): \(reason)"
    case .emptyHeldOut(let documents, let fraction):
      "none of the \(documents) documents fell to the held-out split of \(fraction); separate "
        + "documents by blank lines, raise --held-out, or set it to 0"
    case .outputExists(let path):
      "\(path) exists and is not empty; choose another --output or remove it"
    case .notAShard(let path, let reason): "\(path) cannot be used as prepared data: \(reason)"
    case .damagedBlock(let path, let block):
      "block \(block) of \(path) is damaged: it is not what prepare wrote; prepare the data again, "
        + "or copy the file again"
    case .otherVocabulary(let path):
      "\(path) was prepared with another vocabulary than the vocab.txt beside it"
    case .otherLength(let wanted, let prepared, let path):
      "\(path) was prepared with --length \(prepared) and sequences of up to \(wanted) are wanted; "
        + "prepare the text with --length \(wanted), or train with --length \(prepared)"
    case .tooFew(let path, let split): "\(path) has no \(split) examples"
    }
  }
}
