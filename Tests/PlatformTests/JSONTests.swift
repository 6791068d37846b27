import Foundation
import Platform
import Testing

struct JSONTests {
  private struct Value: Codable, Equatable {
    var name: String
    var sizes: [Int]
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try decodeJSON(Value.self, Data(text.utf8), from: "a.json")
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test
  func anErrorNamesTheFileAndTheKey() {
    #expect(problem(#"{"name": "x"}"#) == "cannot use a.json: the key sizes is missing")
    #expect(problem(#"{"name": 3, "sizes": []}"#).hasPrefix("cannot use a.json: name: "))
    #expect(problem("{").hasPrefix("cannot use a.json: "))
    #expect(problem(#"{"name": "x", "sizes": [1]}"#) == "")
  }

  @Test
  func aLineOfJSONHasSortedKeys() throws {
    #expect(try Value(name: "a/b", sizes: [1, 2]).json() == #"{"name":"a/b","sizes":[1,2]}"#)
  }

  @Test
  func aDocumentIsIndented() throws {
    let document = String(
      decoding: try Value(name: "a/b", sizes: [1]).jsonDocument(), as: UTF8.self)
    #expect(document == "{\n  \"name\" : \"a/b\",\n  \"sizes\" : [\n    1\n  ]\n}")
  }

  @Test
  func membersKeepTheirOrder() {
    let value: JSONText = ["b": 1, "a": [true, nil, "x/\"\n\u{1}é"], "c": [:]]
    #expect(value.text == #"{"b":1,"a":[true,null,"x/\"\n\u0001é"],"c":{}}"#)
    #expect(value.spacedText == #"{"b": 1, "a": [true, null, "x/\"\n\u0001é"], "c": {}}"#)
  }

  @Test
  func numbersThatAreNotFiniteAreNull() {
    let value: JSONText = [.number(orNull: 0.1), .number(orNull: .nan), .number(orNull: .infinity)]
    #expect(value.text == "[0.1,null,null]")
  }

  @Test
  func membersOnLinesAreIndentedByTheirLevel() {
    let value: JSONText = .lines(["a": [1, 2], "b": .lines([["c": 3], [:]]), "d": .lines([])])
    #expect(
      value.spacedText == """
        {
          "a": [1, 2],
          "b": [
            {"c": 3},
            {}
          ],
          "d": []
        }
        """)
  }
}
