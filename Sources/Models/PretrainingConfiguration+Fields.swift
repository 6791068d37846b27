import Electra
import Foundation

extension PretrainingConfiguration {
  /// Every setting by its key in `config.json`.
  ///
  /// Keys of `model` and `recipe` have no prefix; those of other objects, such as `generator`,
  /// follow the name of the object and a space. The value of a list is its numbers, such as
  /// `0.1:0.4`, or the number of its elements if they are objects; an empty one is missing.
  package var fields: [String: String] {
    let encoder = JSONEncoder()
    // An option may be such a number, and is then compared with that of a run.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let object = (try? JSONSerialization.jsonObject(with: encoder.encode(self))) ?? [:]
    var fields: [String: String] = [:]
    func add(_ value: Any, _ path: [String]) {
      if let object = value as? [String: Any] {
        for (key, value) in object {
          add(value, ["model", "recipe"].contains(key) && path.isEmpty ? [] : path + [key])
        }
      } else if let list = value as? [Any] {
        let hasObjects = list.contains { $0 is [String: Any] }
        let numbers = list.map { "\($0)" }.joined(separator: ":")
        if !list.isEmpty {
          fields[path.joined(separator: " ")] = hasObjects ? "\(list.count)" : numbers
        }
      } else {
        fields[path.joined(separator: " ")] = "\(value)"
      }
    }
    add(object, [])
    return fields
  }
}
