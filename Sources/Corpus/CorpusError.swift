import Platform

/// What can be wrong with text and shards.
package enum CorpusError: Error, Equatable, CustomStringConvertible {
  case noText(inputs: String)
  case emptyFile(path: String)
  /// A line or JSON object without text; `canSkip` says whether the verb has `--invalid-text`.
  case badLine(path: String, line: Int, problem: LineProblem, canSkip: Bool)
  /// A file that is no text, of a verb that has `--invalid-text`.
  case notText(TextError)
  case emptyHeldOut(documents: Int, fraction: Double)
  case notAShard(path: String, reason: String)
  case damagedBlock(path: String, block: Int)
  case otherVocabulary(path: String)
  case otherLength(wanted: Int, prepared: Int, path: String)
  case tooFew(path: String, split: String)

  package var description: String {
    switch self {
    case .noText(let inputs): "there is no text in \(inputs)"
    case .emptyFile(let path):
      "there is no text in \(path); remove it, or pass over such files with --invalid-text skip"
    case .badLine(let path, let line, let problem, let canSkip):
      "\(path), line \(line): \(problem)"
        + (canSkip ? "; --invalid-text skip passes over such lines" : "")
    case .notText(let error): "\(error); --invalid-text skip passes over such files"
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
