import Platform
import Tensors
import Training

/// How fast this machine multiplies matrices.
package enum MachineSpeed {
  /// Operations a second of all lanes of `team` together, each multiplying matrices of `size` x `size`
  /// by itself at the same time: the best of a few rounds.
  static func productsPerSecond(team: WorkerTeam, size: Int) -> Double {
    let memory = (0..<team.count).map { _ in Storage(count: 3 * size * size) }
    let operations = 2 * Double(size * size * size) * Double(team.count)
    return (0..<3).reduce(0) { best, _ in
      let start = now()
      team.run { lane in
        let matrices = (0..<3).map {
          Tensor(base: memory[lane].base + $0 * size * size, rows: size, columns: size)
        }
        matrices[0].multiply(matrices[1].plain, matrices[2].plain)
      }
      return max(best, operations / (now() - start))
    }
  }

  /// That of one lane, measured in a moment.
  package static func lane() -> Double {
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: 1)
    let team = WorkerTeam(processors: [-1])
    defer { team.end() }
    return productsPerSecond(team: team, size: 1024)
  }

  /// The most memory that this process has had, in bytes.
  package static var peakMemory: Int {
    HostResources.number(after: "VmHWM:", in: "/proc/self/status").map { $0 * 1024 } ?? 0
  }
}
