import Finetuning
import Foundation
import TestSupport
import Tokenization

/// A tokenizer with letters and a few words.
func smallTokenizer(_ normalization: TextNormalization = .uncased) throws -> Tokenizer {
  let letters = "abcdefghijklmnopqrstuvwxyz0123456789".map { String($0) }
  let tokens =
    SpecialTokens.names + [".", ",", "?", "-"] + letters + letters.map { "##" + $0 }
    + ["the", "cat", "sat", "on", "mat", "un", "##able", "éa"]
  return Tokenizer(
    vocabulary: try Vocabulary(tokens: tokens, source: "test"), normalization: normalization)
}

extension Tokenizer {
  /// The tokens of IDs, separated by blanks.
  func tokens(_ ids: [Int32]) -> String {
    ids.map { vocabulary.tokens[Int($0)] }.joined(separator: " ")
  }
}

/// Writes `text` to a file and reads it as a task's file of a role.
func read(
  _ task: Task, _ role: SplitRole, _ text: String, as name: String? = nil, length: Int? = nil,
  labels: LabelSet? = nil
) throws -> ExampleSet {
  let folder = try TemporaryFolder()
  let split = task.splits.first { $0.role == role } ?? task.splits[0]
  let path = try folder.write(text, name ?? split.files[0])
  let reader = try ExampleReader(task, tokenizer: smallTokenizer(), maximumLength: length)
  return try reader.read(task.file(role, at: path), labels: labels)
}

/// The message of the error that `body` throws; empty if it does not throw.
func sentence(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}
