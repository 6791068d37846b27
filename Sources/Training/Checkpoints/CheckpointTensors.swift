import Foundation
import Layers
import Platform
import Tensors

/// A vector of a checkpoint that has one element per parameter; in the order in which it is saved.
enum SavedVector: CaseIterable {
  case weights, firstMoment, secondMoment

  /// The prefix of its tensor names in a file.
  var prefix: String {
    switch self {
    case .weights: ""
    case .firstMoment: "first_moment."
    case .secondMoment: "second_moment."
    }
  }

  /// The files of tensors of a checkpoint, with their vectors.
  static let files: [(name: String, vectors: [SavedVector])] = [
    (ModelTensors.fileName, [.weights]), (MomentsFile.fileName, [.firstMoment, .secondMoment]),
  ]

  /// The parameters that have an element in this vector: `matrices` have no second moments.
  func parameters(of layout: ParameterLayout, _ matrices: [Parameter]) -> [Parameter] {
    layout.parameters.filter { self != .secondMoment || !matrices.contains($0) }
  }

  /// The names and shapes of the tensors of `vectors`, in the order of a file.
  static func tensors(
    of vectors: [SavedVector], _ layout: ParameterLayout, _ matrices: [Parameter]
  ) -> [(name: String, shape: [Int])] {
    vectors.flatMap { vector in
      vector.parameters(of: layout, matrices).map { (vector.prefix + $0.name, $0.shape) }
    }
  }
}

/// Copies the weights and moments of a checkpoint for a model that may have other parameters.
package enum CheckpointTensors {
  /// The files that `copy` reads and writes, with their checksums.
  package typealias Checksums = [String: UInt32]

  /// Writes the tensors of the checkpoint in `folder` into the folder `new`.
  ///
  /// Parameters that the checkpoint lacks keep their initial weights and get moments of zero;
  /// tensors that match no parameter are left out. With the parameters of the checkpoint itself
  /// the files are equal to its own. Where one of the two has a second moment and the other has
  /// none, the optimizer of the parameter changes, and its moments begin at zero too: Adam's first
  /// moment without its second would be a far too large step.
  ///
  /// - Parameters:
  ///   - folder: the folder of the checkpoint.
  ///   - layout: the parameters of the new model. Those with the name of a tensor must have its
  ///     shape.
  ///   - matrices: the parameters of the new model without second moments.
  ///   - weights: the initial weights of the new model; replaced by those of the checkpoint.
  ///   - new: the folder to write into.
  ///   - fault: called before every write and flush.
  /// - Returns: the CRC-32C of each file by its name.
  /// - Throws: `CheckpointError.otherModel` for another shape; `FileError.unwritable`; errors of a
  ///   damaged file.
  package static func copy(
    _ folder: String, _ layout: ParameterLayout, matrices: [Parameter] = [], weights: Storage,
    to new: String, fault: @escaping FaultHook
  ) throws -> Checksums {
    try SavedVector.files.reduce(into: [:]) { checksums, file in
      let source = try ModelTensors(path: folder + "/" + file.name)
      let writer = try SafetensorsWriter(
        path: new + "/" + file.name,
        tensors: SavedVector.tensors(of: file.vectors, layout, matrices), fault: fault)
      let withoutSecond = Set(matrices.map(\.name))
      func keepsOptimizer(_ name: String) -> Bool {
        let hasSecond = source.entry(SavedVector.secondMoment.prefix + name) != nil
        return hasSecond != withoutSecond.contains(name)
      }
      for vector in file.vectors {
        let values = vector == .weights ? weights : Storage(count: layout.count)
        try ModelFile.expectNone(
          ModelFile.compare(source, layout) { vector.prefix + $0 }.mismatched, path: source.path)
        try ModelFile.copy(source, layout, into: values) {
          vector == .weights || keepsOptimizer($0) ? vector.prefix + $0 : nil
        }
        for parameter in vector.parameters(of: layout, matrices) {
          try writer.write(values.base + parameter.offset, count: parameter.count)
        }
      }
      checksums[file.name] = try writer.finish()
    }
  }
}
