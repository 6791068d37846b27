import Layers
import Platform
import Tensors

/// Tensors of a parameter layout in a safetensors file, under the parameters' names or others.
package enum ModelFile {
  /// What a file and a layout do not have in common.
  package struct Differences: Sendable, Equatable {
    /// Tensors of other shapes than their parameters', each with both shapes, or of other types.
    package var misshapen: [String] = []
    /// Parameters that the file has no tensor for, by the names they would have there.
    package var missing: [String] = []
    /// Tensors of the file that no parameter asked for.
    package var leftOver: [String] = []
  }

  /// Writes the parameters of `weights` that `naming` has a name for. Returns the file's CRC-32C.
  @discardableResult
  package static func write(
    _ weights: Storage, _ layout: ParameterLayout, path: String,
    fault: @escaping FaultHook = { _ in }, naming: (String) -> String? = { $0 }
  ) throws -> UInt32 {
    let named = layout.parameters.compactMap { own in naming(own.name).map { (own, $0) } }
    let writer = try SafetensorsWriter(
      path: path, tensors: named.map { ($1, $0.shape) }, fault: fault)
    for (parameter, _) in named {
      try writer.write(weights.base + parameter.offset, count: parameter.count)
    }
    return try writer.finish()
  }

  /// Fills `weights` from the tensors called `prefix` + name; there must be exactly these.
  package static func read(
    _ path: String, _ layout: ParameterLayout, prefix: String = "", into weights: Storage
  ) throws {
    let file = try SafetensorsFile(path: path)
    let differences = compare(file, layout) { prefix + $0 }
    try expectNone(
      differences.misshapen + differences.missing.map { "\($0) is missing" }
        + differences.leftOver.filter { $0.hasPrefix(prefix) }.map { "\($0) is too many" },
      path: path)
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

  /// Compares the file's tensors with the parameters that `naming` has a name for.
  package static func compare(
    _ file: SafetensorsFile, _ layout: ParameterLayout, naming: (String) -> String?
  ) -> Differences {
    var differences = Differences()
    var unused = Set(file.entries.map(\.name))
    for parameter in layout.parameters {
      guard let name = naming(parameter.name) else { continue }
      unused.remove(name)
      guard let entry = file.entry(name) else {
        differences.missing.append(name)
        continue
      }
      if entry.shape != parameter.shape {
        differences.misshapen.append("\(name) is \(entry.shape) and should be \(parameter.shape)")
      } else if !entry.type.isFloat {
        differences.misshapen.append("\(name) is of type \(entry.type.rawValue) and no float")
      }
    }
    differences.leftOver = unused.sorted()
    return differences
  }

  /// Throws `otherModel` with the first few of `problems` unless there are none.
  package static func expectNone(_ problems: [String], path: String) throws(CheckpointError) {
    guard !problems.isEmpty else { return }
    let shown = problems.prefix(5).joined(separator: ", ")
    let more = problems.count > 5 ? " and \(problems.count - 5) more" : ""
    throw .otherModel(path: path, differences: shown + more)
  }
}
