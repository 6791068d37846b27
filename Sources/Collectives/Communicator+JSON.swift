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

  /// The result of `body` on rank zero, sent to all ranks as JSON; other ranks do not run `body`.
  ///
  /// Every rank must call it. Throws on every rank if `body` throws or returns a non-finite number,
  /// as `agree` does; and an error of the communication.
  package func broadcast<Value: Codable>(json body: () throws -> Value) throws -> Value {
    let bytes: [UInt8] = try agree { rank == 0 ? Array(try JSONEncoder().encode(body())) : [] }
    return try JSONDecoder().decode(Value.self, from: Data(try broadcast(bytes)))
  }
}
