import Corpus
import Foundation
import Platform
import Tokenization

extension Tokenizer {
  /// Opens what `--vocabulary` names: a list of tokens, a `tokenizer.json`, or the folder of a
  /// model or of prepared data.
  ///
  /// A model is read as transformers' AutoTokenizer does, a `tokenizer.json` as
  /// `Tokenizer.from_file` of `tokenizers`. Each defines the normalisation; for a list of tokens it
  /// is `chosen`, by default uncased. Throws `UsageError` if `chosen` contradicts a definition, and
  /// the errors of reading it.
  package init(source path: String, chosen: TextNormalization?) throws {
    let isFile = path.hasSuffix(".json")
    guard isFile || Self.isFolder(path) else {
      self.init(
        vocabulary: try Vocabulary(contentsOf: path), normalization: chosen ?? .uncased)
      return
    }
    let isData = FileManager.default.fileExists(atPath: path + "/data.json")
    self =
      isFile
      ? try Tokenizer(file: path)
      : isData ? try ShardSet(folder: path).tokenizer : try modelTokenizer(path)
    if let chosen, chosen != normalization {
      throw UsageError(
        "\(chosen.lowercase ? "--keep-accents" : "--cased") contradicts the tokenizer of \(path) "
          + "(\(normalization.inWords)); omit the option")
    }
  }

  /// Whether `path` is a folder, or can only be the name of one.
  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      return isFolder.boolValue
    }
    return path != "-" && !path.hasSuffix(".txt")
  }
}
