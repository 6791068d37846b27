import Finetuning
import Testing

/// JSON values in place of a text, a label or a list.
struct JSONInputTests {
  private static let question = #""id": "1", "question": "the?", "answers": []"#

  @Test(arguments: [
    ("[", "the text is not JSON"),
    (#"{"data": {}}"#, "at .data"),
    (#"{"version": "v2.0"}"#, #"the field "data" is absent"#),
    (
      #"{"data": [{"paragraphs": [{"qas": []}]}]}"#,
      #""context" is absent at .data[0].paragraphs[0]"#
    ),
    (
      #"{"data": [{"paragraphs": [{"context": "a", "qas": [{\#(question)}, {}]}]}]}"#,
      #""id" is absent at .data[0].paragraphs[0].qas[1]"#
    ),
    (
      #"{"data": [{"paragraphs": [{"context": 3, "qas": []}]}]}"#,
      "expected String at .data[0].paragraphs[0].context"
    ),
  ])
  func thePlaceInAFileOfQuestionsIsNamed(text: String, message: String) throws {
    let task = try Task.named("squad2")
    let error = sentence { _ = try read(task, .development, text) }
    #expect(error.contains("is not SQuAD's JSON: ") && error.hasSuffix(message), "\(error)")
  }

  /// Numbers and Booleans are labels as they are written; null is not a label.
  @Test
  func labelsNeedNotBeStrings() throws {
    let task = Task.custom(
      .classification, .table(Columns(first: Column("text"), label: Column("label"))))
    let text = [#""x""#, "true", "7", "1.5", "false"].map { "{\"text\": 3, \"label\": \($0)}\n" }
    let set = try read(task, .training, text.joined(), as: "x.jsonl")
    #expect(Set(set.labels.names) == ["x", "true", "7", "1.5", "false"])
    for label in ["null", "[1]", "{}"] {
      let error = sentence {
        _ = try read(task, .training, "{\"text\": \"a\", \"label\": \(label)}\n", as: "x.jsonl")
      }
      #expect(error.contains("line 1"), "\(label): \(error)")
    }
  }

  /// A list with an element that is not a text is not a list of words.
  @Test(arguments: [#"["the", null]"#, #"["the", ["cat"]]"#, #""the""#, "{}"])
  func listsThatHoldSomethingElseAreRefused(words: String) {
    let error = sentence {
      _ = try read(
        .custom(.tagging, .words(WordColumns())), .training,
        "{\"tokens\": \(words), \"tags\": [\"A\", \"B\"]}\n", as: "x.jsonl")
    }
    #expect(error.contains("line 1"), "\(error)")
  }
}
