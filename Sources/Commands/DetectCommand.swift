import ArgumentParser
import Corpus
import Electra
import Foundation
import Layers
import Tensors
import Tokenization
import Training

/// `electra detect`: for each token of a text, the probability that it was replaced.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Marks the words of a text that seem to have been replaced.",
    discussion: """
      Reads one text a line. A line that is longer than the model is judged in parts of the \
      model's length. With --json every line becomes an object with tokens, ids and logits, \
      [CLS] and [SEP] included.
      """)

  @Option(help: "The folder of a run, of a checkpoint, or of a Hugging Face discriminator.")
  var from: String

  @Argument(help: "The text; standard input if none is given.")
  var file: String?

  @Flag(help: "Print tokens, ids and logits as JSON.")
  var json = false

  func run() throws {
    try reportingErrors {
      MatrixLibrary.useOneThread()
      let detector = Detector(try PretrainedDiscriminator(from: from))
      let isTerminal = isatty(STDOUT_FILENO) == 1
      try detector.judge(lines()) { line, verdict in
        print(json ? try verdict.json() : verdict.marked(line, colour: isTerminal))
      }
    }
  }

  private func lines() throws -> [String] {
    let data: Data
    if let file {
      guard let contents = FileManager.default.contents(atPath: file) else {
        throw CorpusError.unreadable(path: file, reason: "there is no such file")
      }
      data = contents
    } else {
      data = FileHandle.standardInput.readDataToEndOfFile()
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

/// A discriminator that judges lines of text, many at a time: a batch is whole lines in their order,
/// laid end to end without padding.
struct Detector {
  private let pretrained: PretrainedDiscriminator
  private let arena: Arena
  private let window: Int
  /// Tokens of a batch; a line alone may have more.
  private static let batchTokens = 1024

  init(_ pretrained: PretrainedDiscriminator) {
    self.pretrained = pretrained
    window = pretrained.discriminator.sizes.positionCount
    let shape = BatchShape(tokens: max(Self.batchTokens, window), longest: window)
    arena = Arena(capacity: pretrained.discriminator.capacity(shape))
  }

  /// Calls `body` with every line and its verdict, in order.
  func judge(_ lines: [String], _ body: (String, Verdict) throws -> Void) throws {
    var pending: [(line: String, verdict: Verdict)] = []
    var batch = Batch()
    func flush() throws {
      let logits = logits(batch)
      var start = 0
      for (line, verdict) in pending {
        let end = start + verdict.ids.count
        try body(line, verdict.completed(Array(logits[start..<end])))
        start = end
      }
      pending = []
      batch = Batch()
    }
    for line in lines {
      let (verdict, lengths) = encode(line)
      if batch.tokenCount > 0 && batch.tokenCount + verdict.ids.count > Self.batchTokens {
        try flush()
      }
      var rest = verdict.ids[...]
      for length in lengths {
        batch.append(tokens: rest.prefix(length), types: repeatElement(0, count: length))
        rest = rest.dropFirst(length)
      }
      pending.append((line, verdict))
    }
    try flush()
  }

  /// The logits of a batch, in parts that fit the arena: a line may be longer than any batch.
  private func logits(_ batch: Batch) -> [Float] {
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
  struct Verdict: Encodable {
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
    func marked(_ text: String, colour: Bool) -> String {
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
