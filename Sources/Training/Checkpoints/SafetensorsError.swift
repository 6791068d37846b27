/// The errors of reading a safetensors file.
package enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The file does not follow the format.
  case malformed(path: String, reason: String)
  case missingTensor(path: String, name: String)
  /// The tensor's number type cannot be read as the requested type.
  case wrongType(path: String, name: String, type: String)

  package var description: String {
    switch self {
    case .malformed(let path, let reason): "\(path) is not a valid safetensors file: \(reason)"
    case .missingTensor(let path, let name): "\(path) has no tensor called \(name)"
    case .wrongType(let path, let name, let type):
      "tensor \(name) of \(path) has type \(type), which cannot be read as float"
    }
  }
}
