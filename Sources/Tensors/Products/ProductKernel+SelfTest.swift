import CKernels
import Dispatch

// A processor may deviate from the specification of an instruction, and an emulator or a virtual
// machine from its processor. A run on such a machine would train another model than the same run
// elsewhere, so each process compares its kernels with the definition before the first product.
// Which of them is the fastest differs between processors, so they are measured.

extension ProductKernel {
  /// The fastest available kernel that passes the self-test, and the ones that fail it.
  ///
  /// A kernel is preferred to those before it from a tenth less time on, so that noise does not
  /// decide between kernels that are about as fast. `compute` computes a block with a kernel. Takes
  /// a few milliseconds.
  package static func fastest(
    _ order: SumOrder, computing compute: (ProductKernel, inout ckernels_block) -> Void
  ) -> (kernel: ProductKernel, failed: [ProductKernel]) {
    let sample = ProductSample(rows: 24, pairs: 128, panels: 8, order: order)
    var (best, failed) = ((kernel: ProductKernel.scalar, time: UInt64.max), [ProductKernel]())
    for kernel in available(order) where kernel != .scalar {
      guard passesSelfTest(order, { compute(kernel, &$0) }) else {
        failed.append(kernel)
        continue
      }
      let time = sample.time { compute(kernel, &$0) }
      if Double(time) < 0.9 * Double(best.time) { best = (kernel, time) }
    }
    return (best.kernel, failed)
  }

  /// Whether `compute` gives the bits of the scalar kernel for products that reveal deviations.
  ///
  /// These are the order of the sums, the fusion of products with them, and the treatment of
  /// subnormal operands and results.
  package static func passesSelfTest(
    _ order: SumOrder, _ compute: (inout ckernels_block) -> Void
  ) -> Bool {
    // One sample for each number of registers of the AVX512-BF16 kernel: 24, 16 and 8.
    let samples = [
      ProductSample(rows: 24, pairs: 20, order: order),
      ProductSample(rows: 13, pairs: 9, panels: 2, continues: true, order: order),
      ProductSample(rows: 5, pairs: 11, continues: true, order: order),
    ]
    return samples.allSatisfy { $0.bits(by: compute) == $0.bits { ckernels_scalar(&$0) } }
  }
}

extension ProductSample {
  /// The nanoseconds of this product; the best of five.
  fileprivate func time(_ compute: (inout ckernels_block) -> Void) -> UInt64 {
    var best = UInt64.max
    for _ in 0..<5 {
      _ = bits {
        let start = DispatchTime.now().uptimeNanoseconds
        compute(&$0)
        best = min(best, DispatchTime.now().uptimeNanoseconds - start)
      }
    }
    return best
  }
}
