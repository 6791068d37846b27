import Platform
import Tensors
import Training

/// The speed of matrix products on this machine.
package enum MachineSpeed {
  /// Floating-point operations per second of all workers of `team` together.
  ///
  /// Each worker multiplies its own matrices of `size` x `size`, all at the same time. The result
  /// is the best of three rounds.
  static func flopsPerSecond(team: WorkerTeam, size: Int) -> Double {
    let memory = (0..<team.count).map { _ in Storage(count: 3 * size * size) }
    let operations = 2 * Double(size * size * size) * Double(team.count)
    return (0..<3).reduce(0) { best, _ in
      let start = now()
      team.run { worker in
        let matrices = (0..<3).map {
          Tensor(base: memory[worker].base + $0 * size * size, rows: size, columns: size)
        }
        matrices[0].multiply(matrices[1].plain, matrices[2].plain)
      }
      return max(best, operations / (now() - start))
    }
  }

  /// Floating-point operations per second of one thread, measured in well under a second.
  package static func flopsPerSecondOfOneThread() -> Double {
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: 1)
    let team = WorkerTeam(processors: [-1])
    defer { team.end() }
    return flopsPerSecond(team: team, size: 1024)
  }

  /// The peak resident memory of this process, in bytes; 0 if the system does not report it.
  package static var peakMemory: Int {
    HostResources.number(after: "VmHWM:", in: "/proc/self/status").map { $0 * 1024 } ?? 0
  }
}
