import Electra
import Models
import Runs
import TestSupport
import Testing

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
}
