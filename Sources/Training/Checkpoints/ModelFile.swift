import Layers
import Platform
import Tensors

/// Reads and writes the tensors of a parameter layout in a safetensors file.
///
/// A naming maps the parameters' names to those of the file; nil leaves a parameter out.
package enum ModelFile {
  /// The differences between the tensors of a file and the parameters of a layout.
  package struct Differences: Sendable, Equatable {
    /// Descriptions of tensors with another shape or with a type that is not a float type.
    package var mismatched: [String] = []
    /// The names of tensors that the file lacks.
    package var missing: [String] = []
    /// The names of the file's tensors that match no parameter.
    package var unused: [String] = []

    /// Why a model that needs all its parameters cannot be read; one clause each.
    package var problems: [String] { mismatched + missing.map { "\($0) is missing" } }

    /// What a training that continues with other parameters begins anew, and what it leaves out;
    /// one clause each.
    package var clauses: [String] {
      (missing.isEmpty ? [] : ["new weights and moments for \(shortList(missing))"])
        + (unused.isEmpty ? [] : ["without \(shortList(unused))"])
    }
  }

  /// Writes the named parameters of `weights` to a new file.
  ///
  /// Returns the CRC-32C of the file. Throws `FileError.unwritable`.
  @discardableResult
  package static func write(
    _ weights: Storage, _ layout: ParameterLayout, path: String,
    fault: @escaping FaultHook = { _ in }, naming: (String) -> String? = { $0 }
  ) throws -> UInt32 {
    let named = layout.parameters.compactMap { parameter in
      naming(parameter.name).map { (parameter, $0) }
    }
    let writer = try SafetensorsWriter(
      path: path, tensors: named.map { ($1, $0.shape) }, fault: fault)
    for (parameter, _) in named {
      try writer.write(weights.base + parameter.offset, count: parameter.count)
    }
    return try writer.finish()
  }

  /// Reads all parameters into `weights` from the file at `path`.
  ///
  /// Throws `CheckpointError.otherModel` if one is missing or does not fit, or if the file has
  /// further tensors. `weights` are then unchanged.
  package static func read(
    _ path: String, _ layout: ParameterLayout, into weights: Storage
  ) throws {
    try read(try ModelTensors(path: path), layout, into: weights)
  }

  /// Reads all parameters from the opened files of a model; see `read(_:_:into:)`.
  package static func read(
    _ file: ModelTensors, _ layout: ParameterLayout, into weights: Storage
  ) throws {
    let differences = compare(file, layout) { $0 }
    try expectNone(
      differences.problems + differences.unused.map { "\($0) is unexpected" }, path: file.path)
    try copy(file, layout, into: weights) { $0 }
  }

  /// Reads the named parameters that the file has into `weights`, and leaves the others unchanged.
  ///
  /// Shapes must have been compared before (`compare`).
  package static func copy(
    _ file: ModelTensors, _ layout: ParameterLayout, into weights: Storage,
    naming: (String) -> String?
  ) throws {
    for parameter in layout.parameters {
      guard let name = naming(parameter.name), file.entry(name) != nil else { continue }
      try file.copyFloats(of: name, into: weights.base + parameter.offset)
    }
  }

  /// Compares the file's tensors with the named parameters.
  package static func compare(
    _ file: ModelTensors, _ layout: ParameterLayout, naming: (String) -> String?
  ) -> Differences {
    var differences = Differences()
    var unmatched = Set(file.entries.map(\.name))
    for parameter in layout.parameters {
      guard let name = naming(parameter.name) else { continue }
      unmatched.remove(name)
      guard let entry = file.entry(name) else {
        differences.missing.append(name)
        continue
      }
      if entry.shape != parameter.shape {
        differences.mismatched.append(
          "\(name) has shape \(entry.shape), expected \(parameter.shape)")
      } else if !entry.type.isFloat {
        differences.mismatched.append(
          "\(name) has type \(entry.type.rawValue), expected a float type")
      }
    }
    differences.unused = unmatched.sorted()
    return differences
  }

  /// Throws `otherModel` with the first five of `problems`; returns if there are none.
  package static func expectNone(_ problems: [String], path: String) throws(CheckpointError) {
    guard !problems.isEmpty else { return }
    throw .otherModel(path: path, differences: shortList(problems))
  }
}
