import Tokenization

/// Encodes questions and passages as `[CLS] question [SEP] passage [SEP]`.
///
/// A passage that is too long is split into overlapping windows. As in the reference, a question is
/// truncated to 64 tokens and windows begin 128 tokens apart. If the maximum length is small, a
/// question takes at most half of the sequence and windows overlap by half. The target of a window
/// that does not contain the whole answer is 0, 0.
struct QuestionEncoder: Sendable {
  let tokenizer: Tokenizer
  let maximumLength: Int

  private static let questionLimit = 64
  private static let stride = 128

  /// A part of a passage in a sequence.
  struct Window: Sendable, Equatable {
    /// The index of the question in the file.
    let question: Int
    /// The range of tokens in the passage.
    let tokens: Range<Int>
    /// The position of the first of these tokens in the sequence.
    let position: Int

    /// The index in the passage of the token at `index` in the sequence; nil outside the passage.
    func token(at index: Int) -> Int? {
      let token = index - position + tokens.lowerBound
      return tokens.contains(token) ? token : nil
    }
  }

  /// Encodes a question with each window of its passage.
  ///
  /// Returns at least one sequence; with an answer of `.unknown` none has a target. `number` is the
  /// index of the question in the file.
  func encode(
    _ question: String, number: Int, passage: EncodedPassage, answer: Answer
  ) -> [(window: Window, example: EncodedExample)] {
    let special = tokenizer.vocabulary.special
    let limit = min(Self.questionLimit, (maximumLength - 3) / 2)
    // Three special tokens; at least half of the rest is left for the passage.
    let head =
      [special.classification] + tokenizer.encode(question).prefix(limit) + [special.separator]
    let room = maximumLength - head.count - 1
    return Self.windows(passage.tokens.count, room: room).map { range in
      let tail = Array(passage.tokens[range]) + [special.separator]
      let window = Window(question: number, tokens: range, position: head.count)
      return (window, EncodedExample(head, tail, target: answer.target(in: window)))
    }
  }

  /// The answer to a question: unknown, known not to exist, or tokens of the passage.
  enum Answer: Equatable {
    case unknown
    case none
    case tokens(ClosedRange<Int>)

    fileprivate func target(in window: Window) -> Target {
      switch self {
      case .unknown: return .none
      case .none: return .span(start: 0, end: 0)
      case .tokens(let range):
        let offset = window.position - window.tokens.lowerBound
        let isInside =
          window.tokens.contains(range.lowerBound) && window.tokens.contains(range.upperBound)
        return isInside
          ? .span(start: range.lowerBound + offset, end: range.upperBound + offset)
          : .span(start: 0, end: 0)
      }
    }
  }

  /// The windows of a passage of `count` tokens, of at most `room` tokens each; at least one
  /// window.
  private static func windows(_ count: Int, room: Int) -> [Range<Int>] {
    let step = min(stride, (room + 1) / 2)
    var windows = [0..<min(count, room)]
    while let last = windows.last, last.upperBound < count {
      let start = last.lowerBound + step
      windows.append(start..<min(count, start + room))
    }
    return windows
  }

  /// Whether, of the windows of one question, this window has the most context around a token.
  ///
  /// The rule of BERT's SQuAD script: a token may start an answer only in its window of maximum
  /// context, so that every span is scored once. The context is the number of tokens before or
  /// after the token, whichever is smaller, plus 0.01 times the window's length. Of equal windows
  /// the first is selected.
  static func hasMaximumContext(around token: Int, _ window: Window, among windows: [Window])
    -> Bool
  {
    func context(_ window: Window) -> Double {
      guard window.tokens.contains(token) else { return -1 }
      let nearest = min(token - window.tokens.lowerBound, window.tokens.upperBound - 1 - token)
      return Double(nearest) + 0.01 * Double(window.tokens.count)
    }
    let maximum = windows.map(context).max() ?? -1
    return windows.first { context($0) == maximum } == window
  }
}
