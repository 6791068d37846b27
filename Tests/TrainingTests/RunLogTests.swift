import Foundation
import TestSupport
import Testing
import Training

struct RunLogTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func screen(_ path: String) throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(fileURLWithPath: path))
    }
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  @Test
  func linesGoToTheFileWithTheTimeAndToTheScreen() throws {
    let folder = try TemporaryFolder()
    let log = RunLog(
      path: folder.file("log.txt"), screen: try screen(folder.file("screen")))
    log.write("one")
    RunLog(path: folder.file("log.txt"), screen: .nullDevice).write("two")
    let lines = try text(folder.file("log.txt")).split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasSuffix("Z one") && lines[1].hasSuffix("Z two"))
    #expect(try text(folder.file("screen")) == "one\n")
  }

  @Test
  func aFileThatCannotBeWrittenIsReportedOnce() throws {
    let folder = try TemporaryFolder()
    let log = RunLog(path: "/nowhere/at/all/log.txt", screen: try screen(folder.file("screen")))
    log.write("one")
    log.write("two")
    let lines = try text(folder.file("screen")).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.filter { $0.contains("cannot write /nowhere/at/all/log.txt") }.count == 1)
  }

  @Test
  func aScreenThatCannotBeWrittenEndsNothing() throws {
    let folder = try TemporaryFolder()
    let log = RunLog(path: folder.file("log.txt"), screen: try screen("/dev/full"))
    log.write("one")
    #expect(try text(folder.file("log.txt")).hasSuffix("Z one\n"))
  }
}
