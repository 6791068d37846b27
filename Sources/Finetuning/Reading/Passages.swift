import Foundation
import Platform

/// A passage and the questions about it.
package struct Passage: Sendable, Equatable {
  package var text: String
  package var questions: [Question]
}

/// A question about a passage.
package struct Question: Sendable, Equatable {
  package var identifier: String
  package var text: String
  /// The answers that count as right; empty if the passage holds none, or if they are not known.
  package var answers: [GoldAnswer]

  package init(identifier: String, text: String, answers: [GoldAnswer]) {
    self.identifier = identifier
    self.text = text
    self.answers = answers
  }
}

/// An answer that counts as right.
package struct GoldAnswer: Sendable, Equatable {
  package var text: String
  /// Where it begins in the passage, in Unicode code points.
  package var start: Int

  package init(text: String, start: Int) {
    self.text = text
    self.start = start
  }
}

extension Passage {
  /// The passages of a file in SQuAD's JSON, of either version. Throws `malformedQuestions`, which
  /// names the place in the file's structure.
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

  private static func sentence(_ error: any Error) -> String {
    let context: DecodingError.Context
    var wanted = ""
    switch error {
    case DecodingError.keyNotFound(let key, let place):
      (context, wanted) = (place, "the field \"\(key.stringValue)\" is absent")
    case DecodingError.typeMismatch(let type, let place),
      DecodingError.valueNotFound(let type, let place):
      (context, wanted) = (place, "there is no \(type)")
    case DecodingError.dataCorrupted(let place):
      (context, wanted) = (place, "the text is not JSON")
    default: return "\(error)"
    }
    let path = context.codingPath.map { key in
      key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
    }
    return path.isEmpty ? wanted : "\(wanted) at \(path.joined())"
  }
}

/// The file as it stands.
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
    // Where SQuAD 2.0 says that there is no answer, some files list answers all the same.
    let answers = entry.isImpossible == true ? [] : entry.answers ?? []
    self.init(
      identifier: entry.id, text: entry.question,
      answers: answers.map { GoldAnswer(text: $0.text, start: $0.start) })
  }
}
