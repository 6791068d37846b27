import Foundation
import TestSupport
import Testing

/// Event files, read with TensorBoard itself.
struct TensorBoardTests {
  @Test(.needsPython)
  func aResumedRunShowsItsMetrics() throws {
    let folder = try preparedData()
    let command = [
      "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--batch", "4",
      "--steps", "6", "--log-every", "1", "--save-every", "2", "--evaluate-every", "3",
    ]
    #expect(try Program.run(command, in: folder.path).status == 0)
    // Without its newest checkpoint, the run repeats the last steps in a new event file.
    let checkpoints = folder.path + "/run/checkpoints"
    try FileManager.default.removeItem(atPath: checkpoints + "/step-00000006")
    #expect(try Program.run(command, in: folder.path).status == 0)
    let check = try Program.python("check-events.py", ["run"], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }
}
