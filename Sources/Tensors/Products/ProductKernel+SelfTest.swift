import CKernels

// A processor may deviate from the specification of an instruction, and an emulator or a virtual
// machine from its processor. A run on such a machine would train another model than the same run
// elsewhere, so each process compares its kernel with the definition before the first product.

extension ProductKernel {
  /// Makes the fastest available kernel that passes the self-test the one of this process.
  ///
  /// Takes less than a millisecond. Returns the faster kernels that give other bits than the
  /// definition of the arithmetic, from the fastest on; on a processor that keeps to its
  /// specification there are none.
  package static func selectFastest() -> [ProductKernel] {
    let (kernel, failed) = fastest { $0.compute(&$1) }
    use(kernel)
    return failed
  }

  /// The fastest available kernel that passes the self-test, and the faster ones that fail it.
  ///
  /// `compute` computes a block with a kernel.
  package static func fastest(
    computing compute: (ProductKernel, inout ckernels_block) -> Void
  ) -> (kernel: ProductKernel, failed: [ProductKernel]) {
    var failed: [ProductKernel] = []
    for kernel in allCases.reversed() where kernel != .scalar && kernel.isAvailable {
      if passesSelfTest({ compute(kernel, &$0) }) { return (kernel, failed) }
      failed.append(kernel)
    }
    return (.scalar, failed)
  }

  /// Whether `compute` gives the bits of the scalar kernel for products that reveal deviations.
  ///
  /// These are the order of the products, their fusion with the sum, and the treatment of subnormal
  /// operands and results.
  package static func passesSelfTest(_ compute: (inout ckernels_block) -> Void) -> Bool {
    // One sample for each number of registers of the AVX512-BF16 kernel: 24, 16 and 8.
    let samples = [
      ProductSample(rows: 24, pairs: 20),
      ProductSample(rows: 13, pairs: 9, panels: 2, continues: true),
      ProductSample(rows: 5, pairs: 11, continues: true),
    ]
    return samples.allSatisfy { $0.bits(by: compute) == $0.bits { ckernels_scalar(&$0) } }
  }
}
