import Electra
import Layers
import Models
import Runs
import Tensors
import TestSupport
import Testing
import Training

struct RunStartTests {
  @Test
  func aStartReadsBackAsItWasWritten() throws {
    let folder = try TemporaryFolder()
    #expect(try RunStart(folder: folder.path) == nil)
    let start = try RunStart(preset: .small, initial: [])
    try start.write(to: folder.path)
    #expect(try RunStart(folder: folder.path) == start)
    #expect(try folder.text("start.json").contains(#""preset" : "small""#))
  }

  /// The start of a run with the weights of two folders.
  private func start(_ folder: TemporaryFolder) throws -> RunStart {
    try folder.write(
      """
      {"init_from": [{"path": "a", "checksum": "1"}, {"path": "b", "checksum": "2"}]}
      """, "start.json")
    return try #require(try RunStart(folder: folder.path))
  }

  @Test
  func theSameModelsMustBeGivenUntilThereIsACheckpoint() throws {
    let start = try start(TemporaryFolder())
    for hasCheckpoints in [false, true] {
      try start.expectSame(initial: ["a", "b"], hasCheckpoints: hasCheckpoints)
    }
    try start.expectSame(initial: [], hasCheckpoints: true)
    #expect(throws: UsageError.self) { try start.expectSame(initial: [], hasCheckpoints: false) }
    #expect(throws: UsageError.self) { try start.expectSame(initial: ["a"], hasCheckpoints: true) }
    let new = try RunStart(preset: nil, initial: [])
    try new.expectSame(initial: [], hasCheckpoints: false)
    #expect(throws: UsageError.self) { try new.expectSame(initial: ["a"], hasCheckpoints: true) }
  }

  /// The checksum of a model in several files is that of all of them.
  @Test
  func modelsInSeveralFilesAreComparedByTheirWeights() throws {
    let folder = try TemporaryFolder()
    for (name, value) in [("first", Float(1)), ("copy", 1), ("other", 2)] {
      var layout = ParameterLayout()
      _ = layout.declare("a", [4], .zeros)
      _ = layout.declare("b", [4], .zeros)
      let weights = Storage(count: layout.count)
      weights.base[0] = value
      try folder.write("", "\(name)/README.md")
      try ModelFile.export(
        weights, layout, to: folder.file(name), .init(shardSize: 16), fault: { _ in },
        naming: { $0 })
    }
    let start = try RunStart(preset: nil, initial: [folder.file("first")])
    try start.expectSame(initial: [folder.file("copy")], hasCheckpoints: true)
    #expect(throws: UsageError.self) {
      try start.expectSame(initial: [folder.file("other")], hasCheckpoints: true)
    }
  }
}
