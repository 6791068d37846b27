import CKernels
import Synchronization

/// The implementation of bfloat16 products that this process uses.
///
/// All implementations of an order of sums give the same bits (see `CKernels.h`); they differ in
/// speed.
package enum ProductKernel: String, Sendable, CaseIterable {
  /// The definition of the arithmetic in C: slow, on any processor.
  case scalar
  /// Fused multiply-adds on vectors of eight floats: at best as fast as float32.
  case avx2 = "AVX2"
  /// Fused multiply-adds on vectors of sixteen floats.
  case avx512 = "AVX-512"
  /// The instruction VDPBF16PS.
  case avx512BF16 = "AVX512-BF16"
  /// The instruction TDPBF16PS.
  case amx = "AMX"

  /// Whether this processor has the instructions.
  package var isAvailable: Bool {
    switch self {
    case .scalar: true
    case .avx2: ckernels_has_avx2() != 0
    case .avx512: ckernels_has_avx512() != 0
    case .avx512BF16: ckernels_has_avx512_bf16() != 0
    case .amx: ckernels_has_amx() != 0
    }
  }

  /// The kernels that sum in `order` and that this processor can run; the scalar one is the first.
  package static func available(_ order: SumOrder) -> [ProductKernel] {
    let other: ProductKernel = order == .chain ? .amx : .avx512BF16
    return allCases.filter { $0 != other && $0.isAvailable }
  }

  /// Computes `block`; the kernel must be available for its order.
  package func compute(_ block: inout ckernels_block) {
    switch self {
    case .scalar: ckernels_scalar(&block)
    case .avx2: ckernels_avx2(&block)
    case .avx512: ckernels_avx512(&block)
    case .avx512BF16: ckernels_avx512_bf16(&block)
    case .amx: ckernels_amx(&block)
    }
  }

  /// The fastest kernel of this process for sums in `order`; measured at the first call.
  package static func current(_ order: SumOrder) -> ProductKernel { selection(order).kernel }

  /// The kernels that give other bits than the definition of `order` and are therefore not used; on
  /// a processor that keeps to its specification there are none.
  package static func failed(_ order: SumOrder) -> [ProductKernel] { selection(order).failed }

  private static let ofChains = fastest(.chain) { $0.compute(&$1) }
  private static let ofBlocks = fastest(.blocks) { $0.compute(&$1) }

  private static func selection(
    _ order: SumOrder
  ) -> (kernel: ProductKernel, failed: [ProductKernel]) {
    order == .chain ? ofChains : ofBlocks
  }
}
