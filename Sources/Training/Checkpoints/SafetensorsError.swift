/// The errors of reading and writing safetensors files.
package enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The file does not follow the format.
  case malformed(path: String, reason: String)
  /// The index of several files does not fit them.
  case badIndex(path: String, reason: String)
  case missingTensor(path: String, name: String)
  /// The tensor's number type cannot be read as the requested type.
  case wrongType(path: String, name: String, type: String)
  /// A value to write exceeds the range of the type.
  case outOfRange(name: String, value: Float, type: WeightType)

  package var description: String {
    switch self {
    case .malformed(let path, let reason): "\(path) is not a valid safetensors file: \(reason)"
    case .badIndex(let path, let reason):
      "\(path) is not a valid index of safetensors files: \(reason)"
    case .missingTensor(let path, let name): "\(path) has no tensor called \(name)"
    case .wrongType(let path, let name, let type):
      "tensor \(name) of \(path) has type \(type), which cannot be read as float"
    case .outOfRange(let name, let value, let type):
      "tensor \(name) has the value \(value), which exceeds the range of \(type.rawValue); "
        + "choose \(type == .float16 ? "bfloat16 or float32" : "float32")"
    }
  }
}
