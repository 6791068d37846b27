import Foundation
import Models
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
}
