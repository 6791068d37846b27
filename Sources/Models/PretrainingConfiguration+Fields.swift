import Electra
import Foundation
import Platform

extension PretrainingConfiguration {
  /// Every setting under its key in `config.json`, those of the generator with its name before it.
  package var fields: [String: String] {
    let object = (try? JSONSerialization.jsonObject(with: jsonDocument())) ?? [:]
    var fields: [String: String] = [:]
    func add(_ value: Any, _ path: [String]) {
      if let object = value as? [String: Any] {
        for (key, value) in object {
          add(value, ["model", "recipe"].contains(key) && path.isEmpty ? [] : path + [key])
        }
      } else if let list = value as? [Any] {
        if !list.isEmpty { fields[path.joined(separator: " ")] = "\(list.count)" }
      } else {
        fields[path.joined(separator: " ")] = "\(value)"
      }
    }
    add(object, [])
    return fields
  }
}
