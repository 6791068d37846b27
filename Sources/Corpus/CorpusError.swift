import Platform

/// An error in text, shards or a folder of prepared data.
package enum CorpusError: Error, Equatable, CustomStringConvertible {
  /// There are no input files, or their text has no tokens.
  case noText(inputs: String)
  /// A file contains only white space; `canSkip` is as in `badLine`.
  case emptyFile(path: String, canSkip: Bool = true)
  /// A line or JSON object is not text; `canSkip` is whether the subcommand has `--invalid-text`.
  case badLine(path: String, line: Int, problem: LineProblem, canSkip: Bool)
  /// A file is not text, in a subcommand that has `--invalid-text`.
  case notText(TextError)
  /// A held-out split is requested, but one of the two splits has no examples.
  case emptyHeldOut(documents: Int, fraction: Double)
  /// A shard or `data.json` is malformed or of another version.
  case notAShard(path: String, reason: String)
  /// A block's checksum, lengths or token ids are invalid.
  case damagedBlock(path: String, block: Int)
  /// A shard or `data.json` belongs to a different `vocab.txt`.
  case otherVocabulary(path: String)
  /// The data was prepared for sequences of another maximum length.
  case otherLength(wanted: Int, prepared: Int, path: String)
  /// A split has no examples.
  case tooFew(path: String, split: String)

  package var description: String {
    switch self {
    case .noText(let inputs): "there is no text in \(inputs)"
    case .emptyFile(let path, let canSkip):
      "there is no text in \(path); remove it"
        + (canSkip ? ", or skip such files with --invalid-text skip" : "")
    case .badLine(let path, let line, let problem, let canSkip):
      "\(path), line \(line): \(problem)"
        + (canSkip ? "; skip such lines with --invalid-text skip" : "")
    case .notText(let error): "\(error); or skip such files with --invalid-text skip"
    case .emptyHeldOut(let documents, let fraction):
      "with \(documents) documents and --held-out \(fraction), the training or held-out split has "
        + "no examples; separate documents by blank lines, change --held-out, or set it to 0"
    case .notAShard(let path, let reason): "\(path) cannot be used as prepared data: \(reason)"
    case .damagedBlock(let path, let block):
      "block \(block) of \(path) is damaged: it differs from what prepare wrote; prepare the data "
        + "again, or copy the file again"
    case .otherVocabulary(let path):
      "\(path) was prepared with another vocabulary than the vocab.txt in the same folder"
    case .otherLength(let wanted, let prepared, let path):
      "\(path) was prepared with --length \(prepared), not \(wanted); "
        + "prepare the text with --length \(wanted), or train with --length \(prepared)"
    case .tooFew(let path, let split): "\(path) has no \(split) examples"
    }
  }
}

extension CorpusError {
  /// The same error in a subcommand that has no `--invalid-text`.
  var withoutSkipping: any Error {
    switch self {
    case .badLine(let path, let line, let problem, _):
      return CorpusError.badLine(path: path, line: line, problem: problem, canSkip: false)
    case .emptyFile(let path, _): return CorpusError.emptyFile(path: path, canSkip: false)
    case .notText(let error): return error
    default: return self
    }
  }
}
