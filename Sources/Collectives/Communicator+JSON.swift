import Foundation

extension Communicator {
  /// The values of all ranks, in rank order, sent as JSON.
  ///
  /// Every rank must call it. Throws an error of the communication, and `EncodingError` for a
  /// non-finite number.
  package func gather<Value: Codable>(json value: Value) throws -> [Value] {
    try gather(Array(try JSONEncoder().encode(value))).map {
      try JSONDecoder().decode(Value.self, from: Data($0))
    }
  }
}
