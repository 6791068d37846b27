import Platform
import Runs
import TestSupport
import Testing

struct TokenSpoolTests {
  @Test
  func blocksAreReadBackAndTheFileHasNoName() throws {
    let folder = try TemporaryFolder()
    let spool = try TokenSpool(folder: folder.path)
    let blocks: [[UInt8]] = [[1, 2, 3], [], (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }]
    let ranges = try blocks.map { try spool.append($0) }
    for (block, range) in zip(blocks, ranges).reversed() {
      #expect(try spool.read(range) == block)
    }
    #expect(try folder.names().isEmpty)
    #expect(throws: FileError.self) { try spool.read(0..<1_000_000) }
  }

  @Test
  func aFolderThatCannotBeWrittenIsNamed() {
    let error = #expect(throws: FileError.self) { try TokenSpool(folder: "/nowhere") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("/nowhere"))
  }
}
