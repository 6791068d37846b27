import Layers
import Tensors

/// Tensors of a parameter layout in a safetensors file.
package enum ModelFile {
  /// Writes all of `weights` under the parameters' names.
  package static func write(
    _ weights: Storage, _ layout: ParameterLayout, path: String, metadata: [String: String] = [:]
  ) throws(SafetensorsError) {
    let writer = try SafetensorsWriter(
      path: path, tensors: layout.parameters.map { ($0.name, $0.shape) }, metadata: metadata)
    for parameter in layout.parameters {
      try writer.write(weights.base + parameter.offset, count: parameter.count)
    }
    try writer.finish()
  }

  /// Fills `weights` from the tensors called `prefix` + name; there must be exactly these.
  package static func read(
    _ path: String, _ layout: ParameterLayout, prefix: String = "", into weights: Storage
  ) throws {
    let file = try SafetensorsFile(path: path)
    try check(file, layout, prefix: prefix)
    for parameter in layout.parameters {
      try file.copyFloats(of: prefix + parameter.name, into: weights.base + parameter.offset)
    }
  }

  /// Compares names and shapes of the file's tensors that begin with `prefix` with the layout's.
  private static func check(
    _ file: SafetensorsFile, _ layout: ParameterLayout, prefix: String
  ) throws(CheckpointError) {
    let found = Dictionary(
      file.entries.filter { $0.name.hasPrefix(prefix) }.map { ($0.name, $0.shape) },
      uniquingKeysWith: { first, _ in first })
    let wanted = Set(layout.parameters.map { prefix + $0.name })
    var differences: [String] = []
    for parameter in layout.parameters {
      let name = prefix + parameter.name
      if let shape = found[name] {
        if shape != parameter.shape {
          differences.append("\(name) is \(shape) and should be \(parameter.shape)")
        }
      } else {
        differences.append("\(name) is missing")
      }
    }
    differences += found.keys.filter { !wanted.contains($0) }.sorted().map { "\($0) is too many" }
    guard differences.isEmpty else {
      let shown = differences.prefix(5).joined(separator: ", ")
      let more = differences.count > 5 ? " and \(differences.count - 5) more" : ""
      throw .otherModel(path: file.path, differences: shown + more)
    }
  }
}
