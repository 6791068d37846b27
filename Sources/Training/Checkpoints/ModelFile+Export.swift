import Foundation
import Layers
import Platform
import Tensors

extension ModelFile {
  /// How the weights of an exported model are written.
  package struct Format: Sendable, Equatable {
    package var type = WeightType.float32
    /// The largest number of bytes of tensors in one file.
    package var shardSize = Int.max

    package init(type: WeightType = .float32, shardSize: Int = .max) {
      (self.type, self.shardSize) = (type, shardSize)
    }
  }

  /// Writes the named parameters of `weights` to a folder, as `save_pretrained` of transformers.
  ///
  /// That is `model.safetensors`, or several files and an index if the tensors exceed the size of
  /// one. A tensor that exceeds it alone has a file of its own. Throws `FileError.unwritable`, or
  /// `SafetensorsError.outOfRange` for a value that the type cannot represent.
  package static func export(
    _ weights: Storage, _ layout: ParameterLayout, to folder: String, _ format: Format,
    fault: @escaping FaultHook, naming: (String) -> String?
  ) throws {
    let tensors = layout.parameters.compactMap { parameter in
      naming(parameter.name).map { NamedParameter(name: $0, parameter: parameter) }
    }
    let shards = split(tensors, format)
    var map: [(key: String, value: JSONText)] = []
    for (index, shard) in shards.enumerated() {
      let name = fileName(index, of: shards.count)
      let writer = try SafetensorsWriter(
        path: folder + "/" + name, tensors: shard.map { ($0.name, $0.parameter.shape) },
        type: format.type, fault: fault)
      for (tensor, parameter) in shard.map({ ($0.name, $0.parameter) }) {
        map.append((tensor, .string(name)))
        let lost = try writer.write(weights.base + parameter.offset, count: parameter.count)
        if let lost {
          throw SafetensorsError.outOfRange(name: tensor, value: lost, type: format.type)
        }
      }
      try writer.finish()
    }
    guard shards.count > 1 else { return }
    let count = tensors.reduce(0) { $0 + $1.parameter.count }
    let index = JSONText.lines([
      "metadata": [
        "total_parameters": .number(count), "total_size": .number(count * format.type.size),
      ], "weight_map": .lines(.object(map)),
    ])
    try DurableFile.write(
      Array((index.spacedText + "\n").utf8), to: folder + "/" + ModelTensors.indexName,
      fault: fault)
  }

  /// A parameter with its name in the file.
  private struct NamedParameter {
    let name: String
    let parameter: Parameter
  }

  /// The tensors of each file, in order.
  private static func split(_ tensors: [NamedParameter], _ format: Format) -> [[NamedParameter]] {
    var shards: [[NamedParameter]] = []
    var size = Int.max
    for tensor in tensors {
      let bytes = tensor.parameter.count * format.type.size
      let (total, overflow) = size.addingReportingOverflow(bytes)
      if overflow || total > format.shardSize {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(tensor)
      size += bytes
    }
    return shards
  }

  private static func fileName(_ index: Int, of count: Int) -> String {
    guard count > 1 else { return ModelTensors.fileName }
    return "model-\((index + 1).zeroPadded(5))-of-\(count.zeroPadded(5)).safetensors"
  }
}
