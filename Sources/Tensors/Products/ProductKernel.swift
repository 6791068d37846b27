import CKernels
import Synchronization

/// The implementation of bfloat16 products that this process uses.
///
/// All implementations give the same bits (see `CKernels.h`); they differ in speed.
package enum ProductKernel: String, Sendable, CaseIterable {
  /// The definition of the arithmetic in C: slow, on any processor.
  case scalar
  /// Fused multiply-adds on vectors of eight floats: at best as fast as float32.
  case avx2 = "AVX2"
  /// The instruction VDPBF16PS.
  case avx512BF16 = "AVX512-BF16"

  /// Whether this processor has the instructions.
  package var isAvailable: Bool {
    switch self {
    case .scalar: true
    case .avx2: ckernels_has_avx2() != 0
    case .avx512BF16: ckernels_has_avx512_bf16() != 0
    }
  }

  /// Computes `block`; the kernel must be available.
  package func compute(_ block: inout ckernels_block) {
    switch self {
    case .scalar: ckernels_scalar(&block)
    case .avx2: ckernels_avx2(&block)
    case .avx512BF16: ckernels_avx512_bf16(&block)
    }
  }

  private static let chosen = Atomic((allCases.last(where: \.isAvailable) ?? .scalar).index)

  private var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// The kernel of this process: the fastest available one, until `use` names another.
  package static var current: ProductKernel { allCases[chosen.load(ordering: .relaxed)] }

  /// Makes `kernel` the one of this process.
  package static func use(_ kernel: ProductKernel) {
    chosen.store(kernel.index, ordering: .relaxed)
  }
}
