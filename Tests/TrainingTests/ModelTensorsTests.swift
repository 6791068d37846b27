import Foundation
import Layers
import Platform
import Tensors
import TestSupport
import Testing
import Training

/// Models in one file or several.
struct ModelTensorsTests {
  /// Three parameters of 24, 40 and 8 bytes, which begin at 0, 16 and 32, with different values.
  private func parameters() -> (layout: ParameterLayout, weights: Storage) {
    var layout = ParameterLayout()
    _ = layout.declare("a", [3, 2], .zeros)
    _ = layout.declare("b", [10], .zeros)
    _ = layout.declare("c", [2], .zeros)
    let weights = Storage(count: layout.count)
    for index in 0..<layout.count { weights.base[index] = Float(index) + 0.3 }
    return (layout, weights)
  }

  private func export(
    _ format: ModelFile.Format, in folder: TemporaryFolder, change: (Storage) -> Void = { _ in }
  ) throws {
    let (layout, weights) = parameters()
    change(weights)
    try ModelFile.export(
      weights, layout, to: folder.path, format, fault: { _ in }, naming: { "x." + $0 })
  }

  private func read(_ folder: TemporaryFolder) throws -> [Float] {
    let (layout, _) = parameters()
    let weights = Storage(count: layout.count)
    try ModelFile.copy(ModelTensors(folder: folder.path), layout, into: weights) { "x." + $0 }
    return layout.parameters.flatMap { parameter in
      (0..<parameter.count).map { weights.base[parameter.offset + $0] }
    }
  }

  /// A larger tensor would be written past the end of its parameter.
  @Test
  func aCheckpointWithOtherShapesIsNotCopied() throws {
    let (folder, new) = (try TemporaryFolder(), try TemporaryFolder())
    let (layout, weights) = parameters()
    try ModelFile.write(weights, layout, path: folder.file("model.safetensors"))
    var other = ParameterLayout()
    _ = other.declare("a", [2, 2], .zeros)
    let smaller = other
    #expect(throws: CheckpointError.self) {
      _ = try CheckpointTensors.copy(
        folder.path, smaller, weights: Storage(count: smaller.count), to: new.path,
        fault: { _ in })
    }
  }

  @Test(arguments: [
    (1, ["x.a", "x.b", "x.c"]), (32, ["x.a", "x.b", "x.c"]), (48, ["x.a", "x.b x.c"]),
    (64, ["x.a x.b", "x.c"]), (72, ["x.a x.b x.c"]), (Int.max, ["x.a x.b x.c"]),
  ])
  func shardsHaveAtMostTheirSizeAndReadBack(size: Int, files: [String]) throws {
    let folder = try TemporaryFolder()
    try export(.init(shardSize: size), in: folder)
    let names = try folder.names("").filter { $0.hasSuffix(".safetensors") }
    let count = "0000\(files.count)"
    #expect(
      names
        == (files.count == 1
          ? ["model.safetensors"]
          : (1...files.count).map { "model-0000\($0)-of-\(count).safetensors" }))
    for (name, tensors) in zip(names, files) {
      let file = try SafetensorsFile(path: folder.file(name))
      #expect(file.entries.map(\.name).joined(separator: " ") == tensors)
    }
    let isIndexed = FileManager.default.fileExists(
      atPath: folder.file("model.safetensors.index.json"))
    #expect(isIndexed == (files.count > 1))
    let expected = [0..<6, 16..<26, 32..<34].joined().map { Float($0) + 0.3 }
    #expect(try read(folder) == expected)
  }

  /// Values with what is written: 1 and half of the last bit, three halves, the limits.
  private static let roundings: [(WeightType, Float, Float)] = [
    (.float16, 0x1.002p0, 1), (.float16, 0x1.006p0, 0x1.008p0), (.float16, 65519, 65504),
    (.float16, 0x1p-24, 0x1p-24), (.float16, 0x1p-26, 0), (.float16, -.infinity, -.infinity),
    (.bfloat16, 0x1.01p0, 1), (.bfloat16, 0x1.03p0, 0x1.04p0), (.bfloat16, 0x1p-133, 0x1p-133),
    (.bfloat16, .infinity, .infinity), (.float32, 0x1.000002p0, 0x1.000002p0),
  ]

  /// Rounding to the nearest value, ties to even.
  @Test(arguments: roundings)
  func weightsAreRoundedToTheNearest(type: WeightType, value: Float, written: Float) throws {
    let folder = try TemporaryFolder()
    try export(.init(type: type), in: folder) { $0.base[0] = value }
    let found = try read(folder)[0]
    #expect(found == written)
  }

  @Test
  func notANumberStaysOne() throws {
    for type in WeightType.allCases {
      let folder = try TemporaryFolder()
      try export(.init(type: type), in: folder) {
        $0.base[0] = Float(bitPattern: 0x7F80_0001)
      }
      #expect(try read(folder)[0].isNaN, "\(type)")
    }
  }

  @Test(arguments: [
    (WeightType.float16, Float(65520)), (.bfloat16, -Float.greatestFiniteMagnitude),
  ])
  func aValueBeyondTheTypeIsRefusedWithItsTensor(type: WeightType, value: Float) throws {
    let folder = try TemporaryFolder()
    #expect(throws: SafetensorsError.outOfRange(name: "x.b", value: value, type: type)) {
      try export(.init(type: type), in: folder) { $0.base[19] = value }
    }
  }

  @Test(arguments: [
    ("\"x.c\": \"model-00002", "\"x.c\": \"model-00001", "has no tensor x.c"),
    ("model-00002-of", "../model-00002-of", "is not the name of a safetensors file in its folder"),
    ("model-00002-of", "model-00007-of", "there is no such file, but"),
    ("weight_map", "map", "it has no weight_map"), ("{", "", "it has no weight_map"),
    ("model-00002-of-00002.safetensors", "model.safetensors.index.json", "is not the name"),
  ])
  func anIndexThatDoesNotFitIsNamed(old: String, new: String, says: String) throws {
    let folder = try TemporaryFolder()
    try export(.init(shardSize: 48), in: folder)
    let name = "model.safetensors.index.json"
    let text = try folder.text(name)
    #expect(text.contains(old), "\(text)")
    try folder.write(text.replacingOccurrences(of: old, with: new), name)
    let error = #expect(throws: (any Error).self) { try read(folder) }
    #expect(error.map { "\($0)".contains(says) } == true, "\(String(describing: error))")
  }

  @Test
  func rowsBeyondALimitAreIgnored() throws {
    let folder = try TemporaryFolder()
    try export(.init(), in: folder)
    var tensors = try ModelTensors(folder: folder.path)
    tensors.limitRows(of: ["x.a", "x.c"], to: 2)
    #expect(tensors.entries.map(\.shape) == [[2, 2], [10], [2]])
    var values = [Float](repeating: 0, count: 6)
    try tensors.copyFloats(of: "x.a", into: &values)
    #expect(values == (0..<4).map { Float($0) + 0.3 } + [0, 0])
  }
}
