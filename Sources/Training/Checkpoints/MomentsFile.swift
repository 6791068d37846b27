import Layers
import Tensors

/// The moments of a checkpoint.
package struct MomentsFile {
  /// The name of the file in a checkpoint's folder.
  static let fileName = "optimizer.safetensors"

  private let file: SafetensorsFile
  private let layout: ParameterLayout

  /// Opens the file and checks its tensors.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - layout: the parameters of the model.
  ///   - matrices: those without second moments.
  ///   - mayLack: whether tensors may be missing; their moments are then zero.
  /// - Throws: an error of opening; `CheckpointError.otherModel` if a tensor does not fit.
  package init(
    path: String, _ layout: ParameterLayout, matrices: [Parameter], mayLack: Bool
  ) throws {
    self.layout = layout
    file = try SafetensorsFile(path: path)
    let vectors = [SavedVector.firstMoment, .secondMoment]
    for (name, shape) in SavedVector.tensors(of: vectors, layout, matrices) {
      let entry = file.entry(name)
      if entry == nil && mayLack { continue }
      guard entry?.shape == shape, entry?.type == .float32 else {
        throw CheckpointError.otherModel(
          path: path, differences: "\(name) is missing or has another shape or type")
      }
    }
    try expectOptimizer(matrices)
  }

  /// Throws if a parameter has the moments of another optimizer.
  ///
  /// Muon's first moment is not Adam's, and Adam's without its second would be a far too large
  /// step.
  private func expectOptimizer(_ matrices: [Parameter]) throws {
    for parameter in layout.parameters
    where file.entry(SavedVector.firstMoment.prefix + parameter.name) != nil {
      let second = SavedVector.secondMoment.prefix + parameter.name
      let isExpected = !matrices.contains(parameter)
      guard (file.entry(second) != nil) == isExpected else {
        throw CheckpointError.otherModel(
          path: file.path,
          differences: "\(second) is \(isExpected ? "missing" : "unexpected"), as with another "
            + "optimizer")
      }
    }
  }

  /// Copies the floats of `range` of a vector to `target`; tensors that the file lacks are zeros.
  func copy(
    _ vector: SavedVector, _ range: Range<Int>, into target: UnsafeMutablePointer<Float>
  ) throws {
    for parameter in layout.parameters where parameter.range.overlaps(range) {
      let part = parameter.range.clamped(to: range)
      let floats = target + (part.lowerBound - range.lowerBound)
      guard file.entry(vector.prefix + parameter.name) != nil else {
        floats.update(repeating: 0, count: part.count)
        continue
      }
      try file.copyFloats(
        of: vector.prefix + parameter.name,
        range: part.lowerBound - parameter.offset..<part.upperBound - parameter.offset,
        into: floats)
    }
  }
}
