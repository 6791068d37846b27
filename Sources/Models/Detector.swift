import Collectives
import Electra
import Layers
import Tensors
import Tokenization
import Training

/// Detects replaced tokens in lines of text with a discriminator, many lines at a time.
///
///     let detector = try Detector(PretrainedDiscriminator(from: path), threads: 2)
///     defer { detector.end() }
///     try detector.detect({ readLine() }, planted: false) { print($0.marked(colour: false)) }
///
/// Whole lines are packed into groups without padding, and each thread evaluates one group at a
/// time. A group depends on the lines alone, so logits have the same bits on any number of threads.
package struct Detector {
  private let tokenizer: Tokenizer
  private let evaluator: Evaluator<Detection>
  private let threads: Int
  /// The length of the longest sequence that the model accepts, in tokens.
  private let longest: Int
  /// The most tokens of a group; a longer line is a group by itself.
  private static let groupTokens = 1024

  /// Starts `threads` threads, which share the weights of the model.
  package init(_ pretrained: PretrainedDiscriminator, threads: Int) throws {
    (tokenizer, longest, self.threads) = (pretrained.tokenizer, pretrained.longest, threads)
    let detection = Detection(
      discriminator: pretrained.discriminator, arithmetic: pretrained.arithmetic,
      longest: longest, tokens: max(Self.groupTokens, longest))
    // What the evaluator calls a sequence is a group here.
    evaluator = try Evaluator(
      detection, weights: pretrained.weights, world: .alone(),
      processors: Array(repeating: -1, count: threads), sliceSequences: 1)
  }

  /// Ends the threads, after which the detector must not be used.
  package func end() { evaluator.end() }

  /// Lines that one thread evaluates together.
  private struct Group {
    var lines: [DetectedText] = []
    var batch = Batch()
  }

  /// Calls `body` with the result of every line that `next` gives, in order.
  ///
  /// Reads ahead until there is a group for each thread. If `next` throws, `body` still receives
  /// the lines before.
  ///
  /// - Parameters:
  ///   - next: returns the next line; nil at the end.
  ///   - planted: whether double brackets mark words, as in `pertaining [[two]] the liver`.
  ///   - body: receives each line with its logits.
  /// - Throws: the errors of `next` and `body`.
  package func detect(
    _ next: () throws -> String?, planted: Bool, _ body: (DetectedText) throws -> Void
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
      // Lines of Windows files end in CR LF.
      if line.last == "\r" { line.removeLast() }
      let (text, parts) = encode(planted ? DetectedText(marked: line) : DetectedText(line))
      let tokens = groups[groups.count - 1].batch.tokenCount
      if tokens > 0 && tokens + text.ids.count > Self.groupTokens {
        if groups.count == threads {
          try evaluate(groups, body)
          groups = []
        }
        groups.append(Group())
      }
      groups[groups.count - 1].lines.append(text)
      for part in parts {
        groups[groups.count - 1].batch.append(
          tokens: text.ids[part], segmentIDs: repeatElement(0, count: part.count))
      }
    }
    try evaluate(groups, body)
    if let failure { throw failure }
  }

  /// Evaluates the groups, one per thread, and passes their lines on.
  private func evaluate(_ groups: [Group], _ body: (DetectedText) throws -> Void) throws {
    let batches = groups.map(\.batch)
    let logits = try evaluator.tally(sequences: batches.count) { _, indices in
      batches[indices.lowerBound]
    }.outputs
    var rest = logits[...]
    for var text in groups.flatMap(\.lines) {
      text.logits = Array(rest.prefix(text.ids.count))
      rest = rest.dropFirst(text.ids.count)
      try body(text)
    }
  }

  /// Tokenizes a line and splits it into parts of the model's length, with [CLS] and [SEP] around
  /// each.
  ///
  /// `parts` are the ranges of the parts in the tokens. An empty line has one part without text.
  private func encode(_ line: DetectedText) -> (DetectedText, parts: [Range<Int>]) {
    var text = line
    let pieces = tokenizer.tokens(of: text.text)
    let vocabulary = tokenizer.vocabulary
    var parts: [Range<Int>] = []
    for start in stride(from: 0, to: max(1, pieces.count), by: longest - 2) {
      let part = pieces[start..<min(start + longest - 2, pieces.count)]
      text.ids += [vocabulary.special.classification]
      text.ids += part.map(\.id) + [vocabulary.special.separator]
      text.ranges += [nil] + part.map(\.range) + [nil]
      parts.append(text.ids.count - part.count - 2..<text.ids.count)
    }
    text.tokens = text.ids.map { vocabulary.tokens[Int($0)] }
    return (text, parts)
  }
}

/// Adapts a discriminator to `Evaluator`: the outputs of a slice are the logits of its tokens.
private struct Detection: Evaluable {
  let discriminator: StandaloneDiscriminator
  let arithmetic: Arithmetic
  let longest: Int
  /// The tokens of a micro-batch, for which the workspace has room.
  let tokens: Int

  func makeWorkspace(sequences: Int) -> Arena {
    var shape = BatchShape(tokens: tokens, longest: longest)
    shape.arithmetic = arithmetic
    return Arena(capacity: discriminator.capacity(shape))
  }

  /// Evaluates micro-batches that fit the workspace, since a line may have more tokens than a
  /// group.
  func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    Tally(
      outputs: slice.microBatches(tokenLimit: tokens).flatMap {
        discriminator.detect($0, weights: weights, arena: workspace)
      })
  }
}
