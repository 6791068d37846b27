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
      for line in try lines() {
        let verdict = detector.judge(line)
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

/// A discriminator with a tokenizer.
struct Detector {
  private let pretrained: PretrainedDiscriminator
  private let arena: Arena
  private let window: Int

  init(_ pretrained: PretrainedDiscriminator) {
    self.pretrained = pretrained
    window = pretrained.discriminator.sizes.positionCount
    let shape = BatchShape(tokens: window, longest: window)
    arena = Arena(capacity: pretrained.discriminator.capacity(shape))
  }

  /// The logits of every token of `text`.
  func judge(_ text: String) -> Verdict {
    let pieces = pretrained.tokenizer.words(of: text)
    let vocabulary = pretrained.tokenizer.vocabulary
    var verdict = Verdict()
    for start in stride(from: 0, to: max(1, pieces.count), by: window - 2) {
      let part = pieces[start..<min(start + window - 2, pieces.count)]
      let ids =
        [vocabulary.special.classification] + part.map(\.id) + [vocabulary.special.separator]
      var batch = Batch()
      batch.append(tokens: ids, types: repeatElement(0, count: ids.count))
      let logits = pretrained.discriminator.detect(batch, weights: pretrained.weights, arena: arena)
      verdict.ids += ids
      verdict.logits += logits
      verdict.tokens += ids.map { vocabulary.tokens[Int($0)] }
      verdict.pieces += zip(part, logits.dropFirst()).map { ($0.range, $1) }
    }
    return verdict
  }

  /// What the discriminator says of a text.
  struct Verdict: Encodable {
    var tokens: [String] = []
    var ids: [Int32] = []
    var logits: [Float] = []
    /// Where each token but the special ones stands in the text, with its logit.
    var pieces: [(range: Range<String.Index>, logit: Float)] = []

    private enum CodingKeys: String, CodingKey {
      case tokens
      case ids
      case logits
    }

    /// The text with suspicious parts marked by their probability, in red on a terminal.
    func marked(_ text: String, colour: Bool) -> String {
      var result = ""
      var position = text.startIndex
      for (range, logit) in pieces where range.lowerBound >= position {
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
