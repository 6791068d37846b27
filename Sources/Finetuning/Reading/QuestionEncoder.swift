import Tokenization

/// Makes sequences of a question and a passage: `[CLS] question [SEP] passage [SEP]`. A passage that is
/// too long is read in windows that overlap.
///
/// As in the reference, a question keeps its first 64 tokens and a window begins 128 tokens behind the
/// one before; where sequences are short, a question takes at most half of one and windows overlap by
/// half. A window that does not hold the whole answer is labelled 0, 0.
struct QuestionEncoder: Sendable {
  let tokenizer: Tokenizer
  let maximumLength: Int

  private static let questionLimit = 64
  private static let stride = 128

  /// A part of a passage as it stands in a sequence.
  struct Window: Sendable, Equatable {
    /// Which question it is, counted through the file.
    let question: Int
    /// The tokens of the passage.
    let tokens: Range<Int>
    /// The place of the first of them in the sequence.
    let position: Int

    /// The token of the passage at a place of the sequence; nil if there is another thing.
    func token(at place: Int) -> Int? {
      let token = place - position + tokens.lowerBound
      return tokens.contains(token) ? token : nil
    }
  }

  /// The sequences of a question. `target` says which are labelled.
  func encode(
    _ question: String, number: Int, passage: EncodedPassage, answer: Answer
  ) -> [(window: Window, example: EncodedExample)] {
    let special = tokenizer.vocabulary.special
    let limit = min(Self.questionLimit, (maximumLength - 3) / 2)
    let head =
      [special.classification] + tokenizer.encode(question).prefix(limit) + [special.separator]
    let room = maximumLength - head.count - 1
    return Self.windows(passage.tokens.count, room: room).map { range in
      let tokens = head + passage.tokens[range] + [special.separator]
      let types =
        [UInt8](repeating: 0, count: head.count)
        + [UInt8](repeating: 1, count: tokens.count - head.count)
      let window = Window(question: number, tokens: range, position: head.count)
      return (
        window, EncodedExample(tokens: tokens, types: types, target: answer.target(in: window))
      )
    }
  }

  /// What is known of the answer.
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

  /// The windows of a passage of `count` tokens; one, even if it is empty.
  private static func windows(_ count: Int, room: Int) -> [Range<Int>] {
    let step = min(stride, (room + 1) / 2)
    var windows = [0..<min(count, room)]
    while let last = windows.last, last.upperBound < count {
      let start = last.lowerBound + step
      windows.append(start..<min(count, start + room))
    }
    return windows
  }

  /// Whether, of the windows of one question, this is the one that shows most of what stands around a
  /// token: only there is it taken for the border of an answer, so that a span counts once.
  static func showsMost(around token: Int, _ window: Window, among windows: [Window]) -> Bool {
    func context(_ window: Window) -> Double {
      guard window.tokens.contains(token) else { return -1 }
      let around = min(token - window.tokens.lowerBound, window.tokens.upperBound - 1 - token)
      return Double(around) + 0.01 * Double(window.tokens.count)
    }
    let most = windows.map(context).max() ?? -1
    return windows.first { context($0) == most } == window
  }
}
