import Electra
import Foundation
import Layers
import Platform
import Synchronization
import Tensors
import Tokenization

/// A discriminator that judges lines of text, many at a time: a batch is whole lines in their order,
/// laid end to end without padding, and every lane has one at a time.
///
/// Unchecked: a lane uses its own arena alone.
package final class Detector: @unchecked Sendable {
  private let pretrained: PretrainedDiscriminator
  private let team: WorkerTeam
  private let arenas: [Arena]
  private let window: Int
  /// Tokens of a batch; a line alone may have more.
  private static let batchTokens = 1024

  package init(_ pretrained: PretrainedDiscriminator, lanes: Int) {
    self.pretrained = pretrained
    MatrixLibrary.reserveBuffers(callers: lanes)
    team = WorkerTeam(processors: Array(repeating: -1, count: lanes))
    window = pretrained.longest
    let shape = BatchShape(tokens: max(Self.batchTokens, window), longest: window)
    let capacity = pretrained.discriminator.capacity(shape)
    arenas = (0..<lanes).map { _ in Arena(capacity: capacity) }
  }

  /// Ends the lanes. The detector must not be used afterwards.
  package func end() { team.end() }

  /// Whole lines that are judged together.
  private struct Group {
    var lines: [(line: String, verdict: Verdict)] = []
    var batch = Batch()
  }

  /// Calls `body` with every line that `next` gives and its verdict, in order; where `next` throws, with
  /// the lines before.
  package func judge(
    _ next: () throws -> String?, _ body: (String, Verdict) throws -> Void
  ) throws {
    var groups = [Group()]
    var failure: (any Error)?
    func line() -> String? {
      do { return try next() } catch {
        failure = error
        return nil
      }
    }
    while var line = line() {
      // A line of Windows' ends in a carriage return.
      if line.last == "\r" { line.removeLast() }
      let (verdict, lengths) = encode(line)
      let tokens = groups[groups.count - 1].batch.tokenCount
      if tokens > 0 && tokens + verdict.ids.count > Self.batchTokens {
        if groups.count == arenas.count {
          try judge(groups, body)
          groups = []
        }
        groups.append(Group())
      }
      let last = groups.count - 1
      var rest = verdict.ids[...]
      for length in lengths {
        groups[last].batch.append(
          tokens: rest.prefix(length), types: repeatElement(0, count: length))
        rest = rest.dropFirst(length)
      }
      groups[last].lines.append((line, verdict))
    }
    try judge(groups, body)
    if let failure { throw failure }
  }

  /// Judges a group a lane.
  private func judge(_ groups: [Group], _ body: (String, Verdict) throws -> Void) throws {
    let batches = groups.map(\.batch)
    let results = Mutex([[Float]](repeating: [], count: batches.count))
    team.run { lane in
      guard lane < batches.count else { return }
      let logits = self.logits(batches[lane], self.arenas[lane])
      results.withLock { $0[lane] = logits }
    }
    for (group, logits) in zip(groups, results.withLock(\.self)) {
      var rest = logits[...]
      for (line, verdict) in group.lines {
        try body(line, verdict.completed(Array(rest.prefix(verdict.ids.count))))
        rest = rest.dropFirst(verdict.ids.count)
      }
    }
  }

  /// The logits of a batch, in parts that fit the arena: a line may be longer than any batch.
  private func logits(_ batch: Batch, _ arena: Arena) -> [Float] {
    batch.microBatches(tokenLimit: max(Self.batchTokens, window)).flatMap {
      pretrained.discriminator.detect($0, weights: pretrained.weights, arena: arena)
    }
  }

  /// The tokens of a line with [CLS] and [SEP] around each part of the model's length, and the lengths
  /// of these parts.
  private func encode(_ line: String) -> (Verdict, lengths: [Int]) {
    let pieces = pretrained.tokenizer.words(of: line)
    let vocabulary = pretrained.tokenizer.vocabulary
    var verdict = Verdict()
    var lengths: [Int] = []
    for start in stride(from: 0, to: max(1, pieces.count), by: window - 2) {
      let part = pieces[start..<min(start + window - 2, pieces.count)]
      verdict.ids += [vocabulary.special.classification]
      verdict.ids += part.map(\.id) + [vocabulary.special.separator]
      verdict.ranges += [nil] + part.map(\.range) + [nil]
      lengths.append(part.count + 2)
    }
    verdict.tokens = verdict.ids.map { vocabulary.tokens[Int($0)] }
    return (verdict, lengths)
  }

  /// What the discriminator says of a text.
  package struct Verdict: Encodable {
    var tokens: [String] = []
    var ids: [Int32] = []
    var logits: [Float] = []
    /// Where each token stands in the text; nil for the special ones.
    var ranges: [Range<String.Index>?] = []

    private enum CodingKeys: String, CodingKey {
      case tokens
      case ids
      case logits
    }

    fileprivate func completed(_ logits: [Float]) -> Verdict {
      var result = self
      result.logits = logits
      return result
    }

    /// The text with suspicious parts marked by their probability, in red on a terminal.
    package func marked(_ text: String, colour: Bool) -> String {
      var result = ""
      var position = text.startIndex
      for case (let range?, let logit) in zip(ranges, logits)
      where range.lowerBound >= position {
        result += text[position..<range.lowerBound]
        let probability = 1 / (1 + exp(-Double(logit)))
        let word = String(text[range])
        if probability > 0.5 {
          let percent = Int((100 * probability).rounded())
          result += colour ? "\u{1B}[1;31m\(word)\u{1B}[0m" : "[\(word) \(percent)%]"
        } else {
          result += word
        }
        position = range.upperBound
      }
      return result + text[position...]
    }
  }
}
