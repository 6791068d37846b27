import CKernels
import Tensors
import Testing

/// Kernels of bfloat16 products: the scalar one against exact arithmetic, the others against it.
struct ProductKernelTests {
  private static let available = ProductKernel.allCases.filter(\.isAvailable)

  @Test(.enabled(if: ProductKernel.avx2.isAvailable, "no AVX2"), arguments: 1...24)
  func avx2HasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.avx2, rows: rows)
  }

  @Test(.enabled(if: ProductKernel.avx512BF16.isAvailable, "no AVX512-BF16"), arguments: 1...24)
  func avx512BF16HasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.avx512BF16, rows: rows)
  }

  /// Compares all numbers of pairs up to 70, at changing offsets.
  private func expectBitsOfTheScalarKernel(_ kernel: ProductKernel, rows: Int) {
    var different: [String] = []
    for pairs in 1...70 {
      let panels = (rows + pairs) % 5 == 0 ? 3 : 1
      let continues = pairs % 4 > 1
      let expected = ProductSample(rows: rows, pairs: pairs, panels: panels, continues: continues)
        .bits(by: ProductKernel.scalar.compute)
      let offset = (rows + 5 * pairs) % 16
      let sample = ProductSample(
        rows: rows, pairs: pairs, panels: panels, continues: continues, offset: offset)
      let bits = sample.bits(by: kernel.compute)
      let unchanged = bits.prefix(offset).allSatisfy { $0 == Float.pi.bitPattern }
      if !unchanged || !bits.dropFirst(offset).elementsEqual(expected) {
        different.append("\(pairs) pairs, \(panels) panels")
      }
    }
    #expect(different.isEmpty)
  }

  @Test(arguments: available, 0..<16)
  func bitsDoNotDependOnAddresses(kernel: ProductKernel, offset: Int) {
    for rows in [24, 19, 6] {
      let bits = [0, offset].map { offset in
        ProductSample(rows: rows, pairs: 11, panels: 2, continues: true, offset: offset)
          .bits(by: kernel.compute).dropFirst(offset)
      }
      #expect(bits[0].elementsEqual(bits[1]))
    }
  }

  @Test(arguments: [false, true])
  func theScalarKernelIsExact(continues: Bool) {
    for (rows, pairs) in [(1, 1), (5, 2), (24, 20), (23, 33)] {
      let sample = ProductSample(rows: rows, pairs: pairs, panels: 2, continues: continues)
      let expected = sample.bits { ExactProduct.compute(&$0) }
      #expect(sample.bits(by: ProductKernel.scalar.compute) == expected)
    }
  }

  /// Sums of one product that are next to the smallest normal number, by hand.
  @Test(arguments: available)
  func resultsAreRoundedBeforeTheyAreFlushed(kernel: ProductKernel) {
    let smallest = Float.leastNormalMagnitude
    // 2^-126 - 2^-150 is below the smallest normal number; 2^-126 - 2^-151 is rounded to it.
    for (exponent, expected) in [(-150, 0), (-151, smallest)] as [(Int, Float)] {
      var sample = ProductSample(rows: 1, pairs: 1, continues: true)
      let start = sample.sums.prefix(16).map { $0.sign == .minus ? -smallest : smallest }
      for column in 0..<16 {
        let opposite = Float(sign: start[column].sign, exponent: exponent + 100, significand: -1)
        sample.setB(0, column, UInt16(opposite.bitPattern >> 16))
        sample.setB(1, column, 0)
      }
      sample.setA(0, 0, UInt16(Float(0x1p-100).bitPattern >> 16))
      sample.setSums(start)
      let bits = sample.bits(by: kernel.compute).prefix(16)
      let signed = start.map { Float(signOf: $0, magnitudeOf: expected).bitPattern }
      #expect(bits.elementsEqual(signed))
    }
  }

  @Test(arguments: available)
  func infinityAndNaNPropagate(kernel: ProductKernel) {
    // Infinities, NaN, the largest numbers, a subnormal number and zero.
    let special: [UInt16] = [0x7F80, 0xFF80, 0x7FC0, 0x7F81, 0x7F7F, 0xFF7F, 0x0001, 0x8000]
    var sample = ProductSample(rows: 24, pairs: 9, panels: 2)
    for (i, bits) in special.enumerated() {
      sample.setA(3 * i, i, bits)
      sample.setA(3 * i + 1, 17 - i, bits)
      sample.setB(2 * i, 2 * i, bits)
      sample.setB(2 * i + 1, 2 * i + 17, bits)
    }
    // Which NaN it is depends on the processor.
    let results = [{ ExactProduct.compute(&$0) }, kernel.compute].map { compute in
      sample.bits(by: compute).map { Float(bitPattern: $0).isNaN ? .max : $0 }
    }
    #expect(results[0].contains(.max) && results[0].contains(Float.infinity.bitPattern))
    #expect(results[0] == results[1])
  }

  /// Kernels flush subnormal numbers; the arithmetic around them must not.
  @Test(arguments: available)
  func kernelsKeepTheControlRegister(kernel: ProductKernel) {
    let bits = ProductSample(rows: 7, pairs: 3).bits(by: kernel.compute)
    // Computed at run time: the compiler does not know the number of elements.
    #expect((Float.leastNormalMagnitude / Float(bits.count)).isSubnormal)
  }

  // MARK: - The self-test

  @Test
  func theFastestKernelIsSelected() {
    #expect(ProductKernel.selectFastest().isEmpty)
    #expect(ProductKernel.current == Self.available.last)
  }

  @Test
  func theSelfTestPassesExactArithmetic() {
    #expect(ProductKernel.passesSelfTest { ExactProduct.compute(&$0) })
  }

  @Test(arguments: ExactProduct.Deviation.allCases)
  func theSelfTestDetectsEveryDeviation(deviation: ExactProduct.Deviation) {
    #expect(!ProductKernel.passesSelfTest { ExactProduct.compute(&$0, deviation) })
  }

  @Test
  func aKernelThatFailsIsReportedAndNotSelected() {
    let selection = ProductKernel.fastest { ExactProduct.compute(&$1, .evenFirst) }
    #expect(selection.kernel == .scalar)
    #expect(selection.failed == Self.available.dropFirst().reversed())
  }
}
