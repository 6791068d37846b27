import Electra
import Foundation
import Layers
import Platform
import Tensors
import Training

/// The speed of matrix products on this machine.
package enum MachineSpeed {
  /// Floating-point operations per second of all workers of `team` together.
  ///
  /// Each worker multiplies its own matrices of `size` x `size`, all at the same time. The result
  /// is the best of three rounds.
  static func flopsPerSecond(team: WorkerTeam, size: Int, _ arithmetic: Arithmetic) -> Double {
    let products = (0..<team.count).map { _ in
      product(arithmetic, rows: size, inner: size, columns: size)
    }
    let operations = 2 * Double(size * size * size) * Double(team.count)
    return (0..<3).reduce(0) { best, _ in
      let start = now()
      team.run { products[$0]() }
      return max(best, operations / (now() - start))
    }
  }

  /// Floating-point operations per second of this thread in products (rows, inner) x (inner,
  /// columns).
  ///
  /// Measures for a twentieth of a second, or two products if they take longer; the result is that
  /// of the fastest product.
  package static func productRate(
    _ arithmetic: Arithmetic, rows: Int = 1024, inner: Int = 1024, columns: Int = 1024
  ) -> Double {
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: 1)
    let product = product(arithmetic, rows: rows, inner: inner, columns: columns)
    let (end, operations) = (now() + 0.05, 2 * Double(rows * inner * columns))
    product()
    var best = 0.0
    repeat {
      let start = now()
      product()
      best = max(best, operations / (now() - start))
    } while now() < end
    return best
  }

  /// A product of matrices (rows, inner) x (inner, columns), to be repeated and timed.
  private static func product(
    _ arithmetic: Arithmetic, rows: Int, inner: Int, columns: Int
  ) -> @Sendable () -> Void {
    let memory = [rows * columns, rows * inner, inner * columns].map { Storage(count: $0) }
    let output = Tensor(base: memory[0].base, rows: rows, columns: columns)
    let a = Tensor(base: memory[1].base, rows: rows, columns: inner).rounded(for: arithmetic)
    let b = Tensor(base: memory[2].base, rows: inner, columns: columns).rounded(for: arithmetic)
    return { withExtendedLifetime(memory) { output.multiply(a.plain, b.plain) } }
  }

  /// The peak resident memory of this process, in bytes; 0 if the system does not report it.
  package static var peakMemory: Int {
    HostResources.number(after: "VmHWM:", in: "/proc/self/status").map { $0 * 1024 } ?? 0
  }
}

extension MachineSpeed {
  /// The ratio of the rates from which bfloat16 is worth a note.
  private static let worthwhileRatio = 1.2

  /// Measures the arithmetics for a run in float32 and returns a note if another is faster.
  ///
  /// nil for a run in bfloat16, and on a processor whose kernels are not faster than float32. The
  /// product is the discriminator's feed-forward layer on a micro-batch, or on 512 tokens of a
  /// larger one, because slices are often smaller.
  package static func advice(for configuration: PretrainingConfiguration) -> String? {
    guard configuration.arithmetic == .float32 else { return nil }
    let faster = Arithmetic.allCases.filter { arithmetic in
      arithmetic.sumOrder.map { [.avx512BF16, .amx].contains(ProductKernel.current($0)) } ?? false
    }
    guard !faster.isEmpty else { return nil }
    let (recipe, sizes) = (configuration.recipe, configuration.model.discriminator)
    func rate(_ arithmetic: Arithmetic) -> Double {
      productRate(
        arithmetic, rows: min(recipe.microBatchTokens, 512), inner: sizes.hiddenSize,
        columns: sizes.intermediateSize)
    }
    let float32 = rate(.float32)
    let ratios = faster.map { (arithmetic: $0, ratio: rate($0) / float32) }
    return ratios.max { $0.ratio < $1.ratio }.flatMap { advice($0.arithmetic, ratio: $0.ratio) }
  }

  /// The note for products in an arithmetic that are `ratio` times as fast as in float32; nil below
  /// 1.2.
  package static func advice(_ arithmetic: Arithmetic, ratio: Double) -> String? {
    guard ratio >= worthwhileRatio else { return nil }
    let name = arithmetic.rawValue
    return String(
      format: "matrix products in \(name) are %.1f times as fast as in float32 ", ratio)
      + "on this processor; a new run uses them with --arithmetic \(name)"
  }
}
