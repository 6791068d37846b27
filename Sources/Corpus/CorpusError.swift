/// What can be wrong with text and shards.
package enum CorpusError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case noText(inputs: String)
  case emptyFile(path: String)
  /// A line or JSON object without text; `canSkip` says whether the verb has `--invalid-text`.
  case badLine(path: String, line: Int, problem: LineProblem, canSkip: Bool)
  /// A file that is no UTF-8 text, by its first bytes; the program that was called to unpack it.
  case notText(path: String, content: FileContent, unpacker: String?, canSkip: Bool = false)
  case decompressionFailed(path: String, program: String, reason: String)
  case emptyHeldOut(documents: Int, fraction: Double)
  case notAShard(path: String, reason: String)
  case damagedBlock(path: String, block: Int)
  case otherVocabulary(path: String)
  case otherLength(wanted: Int, prepared: Int, path: String)
  case tooFew(path: String, split: String)

  package var description: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .noText(let inputs): "there is no text in \(inputs)"
    case .emptyFile(let path):
      "there is no text in \(path); remove it, or pass over such files with --invalid-text skip"
    case .badLine(let path, let line, let problem, let canSkip):
      "\(path), line \(line): \(problem)"
        + (canSkip ? "; --invalid-text skip passes over such lines" : "")
    case .notText(let path, let content, let unpacker, let canSkip):
      content.sentence(path: path, unpacker: unpacker)
        + (canSkip ? "; --invalid-text skip passes over such files" : "")
    case .decompressionFailed(let path, let program, let reason):
      "\(program) could not unpack \(path): \(reason)"
    case .emptyHeldOut(let documents, let fraction):
      "none of the \(documents) documents fell to the held-out split of \(fraction); separate "
        + "documents by blank lines, raise --held-out, or set it to 0"
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

extension CorpusError {
  /// The same error where `--invalid-text skip` helps.
  var skippable: Self {
    guard case .notText(let path, let content, let unpacker, _) = self else { return self }
    return .notText(path: path, content: content, unpacker: unpacker, canSkip: true)
  }
}
