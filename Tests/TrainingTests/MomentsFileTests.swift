import Layers
import Tensors
import TestSupport
import Testing
import Training

struct MomentsFileTests {
  /// A matrix and a bias.
  private static let shapes = [("dense.weight", [4, 4]), ("dense.bias", [4])]

  /// Writes moments, Muon's without the matrix's second, and opens them.
  private func readMoments(muonWrites: Bool, muonReads: Bool, mayLack: Bool = false) throws {
    let folder = try TemporaryFolder()
    var (written, layout) = (ParameterLayout(), ParameterLayout())
    for (name, shape) in Self.shapes {
      _ = layout.declare(name, shape, .zeros)
      _ = written.declare("first_moment." + name, shape, .zeros)
      if muonWrites && name == "dense.weight" { continue }
      _ = written.declare("second_moment." + name, shape, .zeros)
    }
    let path = folder.file("optimizer.safetensors")
    try ModelFile.write(Storage(count: written.count), written, path: path)
    let matrices = muonReads ? [try #require(layout["dense.weight"])] : []
    _ = try MomentsFile(path: path, layout, matrices: matrices, mayLack: mayLack)
  }

  @Test(arguments: [true, false])
  func theOptimizerOfTheFileMustBeTheRuns(mayLack: Bool) throws {
    try readMoments(muonWrites: false, muonReads: false, mayLack: mayLack)
    try readMoments(muonWrites: true, muonReads: true, mayLack: mayLack)
    for muonReads in [true, false] {
      let error = #expect(throws: CheckpointError.self) {
        try readMoments(muonWrites: !muonReads, muonReads: muonReads, mayLack: mayLack)
      }
      #expect(error?.description.contains("second_moment.dense.weight") == true)
    }
  }
}
