import Layers
import Tensors

/// Tensors of a parameter layout in a safetensors file, under the parameters' names or others.
package enum ModelFile {
  /// What a file and a layout do not have in common.
  package struct Differences: Sendable, Equatable {
    /// Parameters that the file has no tensor for, by the names they would have there.
    package var missing: [String] = []
    /// Tensors of the file that no parameter asked for.
    package var leftOver: [String] = []
  }

  /// Writes the parameters of `weights` that `naming` has a name for.
  package static func write(
    _ weights: Storage, _ layout: ParameterLayout, path: String, metadata: [String: String] = [:],
    naming: (String) -> String? = { $0 }
  ) throws(SafetensorsError) {
    let named = layout.parameters.compactMap { own in naming(own.name).map { (own, $0) } }
    let writer = try SafetensorsWriter(
      path: path, tensors: named.map { ($1, $0.shape) }, metadata: metadata)
    for (parameter, _) in named {
      try writer.write(weights.base + parameter.offset, count: parameter.count)
    }
    try writer.finish()
  }

  /// Fills `weights` from the tensors called `prefix` + name; there must be exactly these.
  package static func read(
    _ path: String, _ layout: ParameterLayout, prefix: String = "", into weights: Storage
  ) throws {
    let file = try SafetensorsFile(path: path)
    let differences = try compare(file, layout) { prefix + $0 }
    let problems =
      differences.missing.map { "\($0) is missing" }
      + differences.leftOver.filter { $0.hasPrefix(prefix) }.map { "\($0) is too many" }
    guard problems.isEmpty else { throw otherModel(file, problems) }
    try copy(file, layout, into: weights) { prefix + $0 }
  }

  /// Fills what there is of `weights` from the tensors that `naming` names.
  package static func copy(
    _ file: SafetensorsFile, _ layout: ParameterLayout, into weights: Storage,
    naming: (String) -> String?
  ) throws {
    for parameter in layout.parameters {
      guard let name = naming(parameter.name), file.entry(name) != nil else { continue }
      try file.copyFloats(of: name, into: weights.base + parameter.offset)
    }
  }

  /// Compares the file's tensors with the parameters that `naming` has a name for. A tensor of
  /// another shape is an error that names it and both shapes.
  package static func compare(
    _ file: SafetensorsFile, _ layout: ParameterLayout, naming: (String) -> String?
  ) throws(CheckpointError) -> Differences {
    var differences = Differences()
    var unused = Set(file.entries.map(\.name))
    var misshapen: [String] = []
    for parameter in layout.parameters {
      guard let name = naming(parameter.name) else { continue }
      unused.remove(name)
      guard let shape = file.entry(name)?.shape else {
        differences.missing.append(name)
        continue
      }
      if shape != parameter.shape {
        misshapen.append("\(name) is \(shape) and should be \(parameter.shape)")
      }
    }
    guard misshapen.isEmpty else { throw otherModel(file, misshapen) }
    differences.leftOver = unused.sorted()
    return differences
  }

  private static func otherModel(
    _ file: SafetensorsFile, _ problems: [String]
  ) -> CheckpointError {
    let shown = problems.prefix(5).joined(separator: ", ")
    let more = problems.count > 5 ? " and \(problems.count - 5) more" : ""
    return .otherModel(path: file.path, differences: shown + more)
  }
}
