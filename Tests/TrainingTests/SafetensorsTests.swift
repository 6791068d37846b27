import Foundation
import Layers
import Platform
import Tensors
import TestSupport
import Testing
import Training

struct SafetensorsTests {
  /// Writes a small file.
  private func write(_ path: String) throws {
    let writer = try SafetensorsWriter(
      path: path, tensors: [("a", [2, 3]), ("empty", [0, 4]), ("b.\"quoted\"", [4])])
    let values: [Float] = [1, -2, 3.5, 0, .infinity, 1e-30, 7, 8, 9, 10]
    try writer.write(values, count: 7)
    try writer.write(Array(values[7...]), count: 3)
    try writer.finish()
  }

  @Test
  func whatIsWrittenIsReadBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    try write(path)
    let file = try SafetensorsFile(path: path)
    #expect(file.entries.map(\.name) == ["a", "empty", "b.\"quoted\""])
    #expect(file.metadata == ["format": "pt"])
    #expect(try file.floats(of: "a") == [1, -2, 3.5, 0, .infinity, 1e-30])
    #expect(try file.floats(of: "b.\"quoted\"") == [7, 8, 9, 10])
    #expect(throws: SafetensorsError.missingTensor(path: path, name: "c")) {
      try file.floats(of: "c")
    }
  }

  /// The same tensors must give the same bytes in every version of the program.
  @Test
  func theHeaderHasItsUsualBytes() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("x"))
    let header = """
      {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "empty":{"dtype":"F32","shape":[0,4],"data_offsets":[24,24]},\
      "b.\\"quoted\\"":{"dtype":"F32","shape":[4],"data_offsets":[24,40]}}
      """
    let bytes = try folder.bytes("x")
    let text = String(decoding: bytes[8..<bytes.count - 40], as: UTF8.self)
    #expect(text.trimmingCharacters(in: [" "]) == header)
    #expect(bytes.count % 8 == 0 && text.utf8.count % 8 == 0)
    #expect(Int(bytes[0]) + Int(bytes[1]) << 8 == text.utf8.count)
  }

  /// Writes a file with the given header and data.
  private func file(_ header: String, data: [UInt8]) -> Data {
    var bytes = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
    bytes += Data(header.utf8)
    return bytes + Data(data)
  }

  @Test
  func halfPrecisionsAreWidened() throws {
    let folder = try TemporaryFolder()
    let header = """
      {"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},\
      "b":{"dtype":"BF16","shape":[2],"data_offsets":[10,14]},\
      "i":{"dtype":"I64","shape":[1],"data_offsets":[14,22]}}
      """
    let data: [UInt8] = [
      0x00, 0x3C, 0x00, 0xC1, 0x01, 0x00, 0x00, 0x7C, 0xFF, 0x7B,  // 1, -2.5, 2^-24, inf, 65504
      0x80, 0x3F, 0x49, 0x40,  // 1, 3.140625
      0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ]
    try folder.write(file(header, data: data), "half")
    let half = try SafetensorsFile(path: folder.file("half"))
    #expect(try half.floats(of: "h") == [1, -2.5, 0x1p-24, .infinity, 65504])
    #expect(try half.floats(of: "b") == [1, 3.140625])
    #expect(throws: SafetensorsError.self) { try half.floats(of: "i") }
  }

  /// A file may contain tensors of other types, such as booleans or quantized weights.
  @Test
  func tensorsOfOtherTypesMayBeThere() throws {
    let folder = try TemporaryFolder()
    let header = """
      {"b":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},\
      "u":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},\
      "d":{"dtype":"F64","shape":[2],"data_offsets":[4,20]},\
      "s":{"dtype":"F4","shape":[2,3],"data_offsets":[20,23]},\
      "f":{"dtype":"F32","shape":[1],"data_offsets":[23,27]}}
      """
    let data: [UInt8] =
      [1, 0, 1, 7] + [0, 0, 0, 0, 0, 0, 0xF8, 0x3F] + [0, 0, 0, 0, 0, 0, 0, 0xC0] + [1, 2, 3]
      + [0, 0, 0x80, 0x3F]
    try folder.write(file(header, data: data), "mixed")
    let mixed = try SafetensorsFile(path: folder.file("mixed"))
    #expect(try mixed.floats(of: "f") == [1])
    #expect(try mixed.floats(of: "d") == [1.5, -2])
    #expect(mixed.entry("s")?.count == 6)
    for name in ["b", "u", "s"] {
      #expect(throws: SafetensorsError.self) { try mixed.floats(of: name) }
    }
  }

  @Test(arguments: [
    "{}x", "[1]", "not json",
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
    #"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
  ])
  func malformedHeadersAreRefused(header: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(file(header, data: Array(repeating: 0, count: 8)), "bad")
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder.file("bad")) }
  }

  @Test
  func mutatedFilesNeverCrash() throws {
    let folder = try TemporaryFolder()
    try write(folder.file("x.safetensors"))
    let original = try folder.bytes("x.safetensors")
    var draws = Draws(state: 1)
    var accepted = 0
    for trial in 0..<Draws.mutationCount {
      var bytes = original
      for _ in 0...trial % 3 { draws.mutate(&bytes) }
      try folder.write(bytes, "mutated")
      if let file = try? SafetensorsFile(path: folder.file("mutated")) {
        accepted += 1
        for entry in file.entries { _ = try? file.floats(of: entry.name) }
      }
    }
    #expect(accepted < Draws.mutationCount * 9 / 10)
  }

  @Test
  func aFullDiskIsAnError() throws {
    #expect(throws: FileError.self) { try write("/dev/full") }
  }

  @Test
  func weightsOfAnotherModelAreNamed() throws {
    let folder = try TemporaryFolder()
    var layout = ParameterLayout()
    _ = layout.declare("a.weight", [3, 2], .zeros)
    _ = layout.declare("a.bias", [3], .zeros)
    let weights = randomWeights(layout, scale: 1)
    let path = folder.file("model.safetensors")
    try ModelFile.write(weights, layout, path: path)
    let copy = Storage(count: layout.count)
    try ModelFile.read(path, layout, into: copy)
    for i in 0..<layout.count { #expect(copy.base[i] == weights.base[i]) }
    var other = ParameterLayout()
    _ = other.declare("a.weight", [2, 3], .zeros)
    _ = other.declare("b.bias", [3], .zeros)
    let differences =
      "a.weight has shape [3, 2], expected [2, 3], b.bias is missing, a.bias is unexpected"
    #expect(throws: CheckpointError.otherModel(path: path, differences: differences)) {
      try ModelFile.read(path, other, into: Storage(count: other.count))
    }
  }
}
