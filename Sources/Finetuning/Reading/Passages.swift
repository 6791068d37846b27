import Foundation
import Platform

/// A passage and the questions about it.
struct Passage: Sendable, Equatable {
  var text: String
  var questions: [Question]
}

/// A question about a passage.
package struct Question: Sendable, Equatable {
  package var identifier: String
  package var text: String
  /// The gold answers; empty if the passage holds no answer, or if answers are unknown.
  package var answers: [GoldAnswer]

  package init(identifier: String, text: String, answers: [GoldAnswer]) {
    self.identifier = identifier
    self.text = text
    self.answers = answers
  }
}

/// A correct answer, as annotated in the data.
package struct GoldAnswer: Sendable, Equatable {
  package var text: String
  /// The index of its first Unicode code point in the passage; may be wrong in real data.
  package var start: Int

  package init(text: String, start: Int) {
    self.text = text
    self.start = start
  }
}

extension Passage {
  /// Reads the passages of a file in SQuAD's JSON, version 1.1 or 2.0.
  ///
  /// Throws `malformedQuestions`, which names the path of the invalid field.
  static func all(in file: TextFile) throws(FinetuningError) -> [Passage] {
    do {
      let document = try JSONDecoder().decode(Document.self, from: Data(file.contents))
      return document.data.flatMap(\.paragraphs).map { paragraph in
        Passage(text: paragraph.context, questions: paragraph.qas.map(Question.init))
      }
    } catch {
      throw .malformedQuestions(path: file.path, reason: Self.sentence(error))
    }
  }

  /// Describes a decoding error: what is wrong and the path of the field.
  private static func sentence(_ error: any Error) -> String {
    let context: DecodingError.Context
    let problem: String
    switch error {
    case DecodingError.keyNotFound(let key, let location):
      (context, problem) = (location, "the field \"\(key.stringValue)\" is absent")
    case DecodingError.typeMismatch(let type, let location),
      DecodingError.valueNotFound(let type, let location):
      (context, problem) = (location, "expected \(type)")
    case DecodingError.dataCorrupted(let location):
      (context, problem) = (location, "the text is not JSON")
    default: return "\(error)"
    }
    let path = context.codingPath.map { key in
      key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
    }
    return path.isEmpty ? problem : "\(problem) at \(path.joined())"
  }
}

/// The structure of SQuAD's JSON.
private struct Document: Decodable {
  struct Article: Decodable { let paragraphs: [Paragraph] }
  struct Paragraph: Decodable {
    let context: String
    let qas: [Entry]
  }
  struct Entry: Decodable {
    let id: String
    let question: String
    let answers: [Answer]?
    let isImpossible: Bool?

    private enum CodingKeys: String, CodingKey {
      case id, question, answers
      case isImpossible = "is_impossible"
    }
  }
  struct Answer: Decodable {
    let text: String
    let start: Int

    private enum CodingKeys: String, CodingKey {
      case text
      case start = "answer_start"
    }
  }
  let data: [Article]
}

extension Question {
  fileprivate init(_ entry: Document.Entry) {
    // Some files list answers for questions that SQuAD 2.0 marks as impossible; the mark decides.
    let answers = entry.isImpossible == true ? [] : entry.answers ?? []
    self.init(
      identifier: entry.id, text: entry.question,
      answers: answers.map { GoldAnswer(text: $0.text, start: $0.start) })
  }
}
