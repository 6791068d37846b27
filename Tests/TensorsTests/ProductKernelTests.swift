import CKernels
import Foundation
import Tensors
import Testing

/// Kernels of bfloat16 products: the scalar one against exact arithmetic, the others against it.
struct ProductKernelTests {
  /// A kernel that this processor can run, with an order of sums.
  struct Variant: Sendable, CustomTestStringConvertible {
    let kernel: ProductKernel
    let order: SumOrder

    var testDescription: String { "\(kernel.rawValue), \(order)" }
  }

  private static let available = SumOrder.allCases.flatMap { order in
    ProductKernel.available(order).map { Variant(kernel: $0, order: order) }
  }

  @Test(.enabled(if: ProductKernel.avx2.isAvailable, "no AVX2"), arguments: 1...24)
  func avx2HasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.avx2, .chain, rows: rows)
    expectBitsOfTheScalarKernel(.avx2, .blocks, rows: rows)
  }

  @Test(.enabled(if: ProductKernel.avx512.isAvailable, "no AVX-512"), arguments: 1...24)
  func avx512HasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.avx512, .chain, rows: rows)
    expectBitsOfTheScalarKernel(.avx512, .blocks, rows: rows)
  }

  @Test(.enabled(if: ProductKernel.avx512BF16.isAvailable, "no AVX512-BF16"), arguments: 1...24)
  func avx512BF16HasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.avx512BF16, .chain, rows: rows)
  }

  @Test(.enabled(if: ProductKernel.amx.isAvailable, "no AMX"), arguments: 1...24)
  func amxHasTheBitsOfTheScalarKernel(rows: Int) {
    expectBitsOfTheScalarKernel(.amx, .blocks, rows: rows)
  }

  /// Compares all numbers of pairs up to 70, at changing offsets.
  private func expectBitsOfTheScalarKernel(
    _ kernel: ProductKernel, _ order: SumOrder, rows: Int
  ) {
    var different: [String] = []
    for pairs in 1...70 {
      let panels = (rows + pairs) % 5 == 0 ? 3 : 1
      let continues = pairs % 4 > 1
      let expected = ProductSample(
        rows: rows, pairs: pairs, panels: panels, continues: continues, order: order
      ).bits(by: ProductKernel.scalar.compute)
      let offset = (rows + 5 * pairs) % 16
      let sample = ProductSample(
        rows: rows, pairs: pairs, panels: panels, continues: continues, offset: offset,
        order: order)
      let bits = sample.bits(by: kernel.compute)
      let unchanged = bits.prefix(offset).allSatisfy { $0 == Float.pi.bitPattern }
      if !unchanged || !bits.dropFirst(offset).elementsEqual(expected) {
        different.append("\(order), \(pairs) pairs, \(panels) panels")
      }
    }
    #expect(different.isEmpty)
  }

  @Test(arguments: available, 0..<16)
  func bitsDoNotDependOnAddresses(variant: Variant, offset: Int) {
    for rows in [24, 19, 6] {
      let bits = [0, offset].map { offset in
        ProductSample(
          rows: rows, pairs: 11, panels: 2, continues: true, offset: offset, order: variant.order
        ).bits(by: variant.kernel.compute).dropFirst(offset)
      }
      #expect(bits[0].elementsEqual(bits[1]))
    }
  }

  @Test(arguments: [false, true], SumOrder.allCases)
  func theScalarKernelIsExact(continues: Bool, order: SumOrder) {
    for (rows, pairs) in [(1, 1), (5, 2), (24, 20), (23, 33)] {
      let sample = ProductSample(
        rows: rows, pairs: pairs, panels: 2, continues: continues, order: order)
      let expected = sample.bits { ExactProduct.compute(&$0) }
      #expect(sample.bits(by: ProductKernel.scalar.compute) == expected)
    }
  }

  /// Sums of two products that are next to the smallest normal number, by hand.
  @Test(arguments: available)
  func resultsAreRoundedBeforeTheyAreFlushed(variant: Variant) {
    let smallest = Float.leastNormalMagnitude
    // 2^-126 - 2^-150 is below the smallest normal number; 2^-126 - 2^-151 is rounded to it.
    for (exponent, expected) in [(-150, 0), (-151, smallest)] as [(Int, Float)] {
      var sample = ProductSample(rows: 1, pairs: 2, order: variant.order)
      let first = (0..<16).map { $0 % 3 == 0 ? -smallest : smallest }
      for column in 0..<16 {
        // Products of 2^-100 with these, in k = 0 and k = 2.
        let factors = [-26, exponent + 100].map {
          Float(sign: first[column].sign, exponent: $0, significand: 1)
        }
        for (k, factor) in zip(0..., [factors[0], 0, -factors[1], 0]) {
          sample.setB(k, column, UInt16(factor.bitPattern >> 16))
        }
      }
      for k in 0..<4 { sample.setA(0, k, UInt16(Float(0x1p-100).bitPattern >> 16)) }
      let results = sample.bits(by: variant.kernel.compute).prefix(16)
      // Blocks add a chain's -0 to zeros.
      let signed = first.map {
        expected == 0 && variant.order == .blocks
          ? 0 : Float(signOf: $0, magnitudeOf: expected).bitPattern
      }
      #expect(results.elementsEqual(signed))
    }
  }

  /// Products that underflow to -0 are added to -0: in blocks, zeros behind the last pair follow.
  @Test(arguments: available)
  func zerosBehindTheLastPairAreAddedToBlocksOnly(variant: Variant) {
    var sample = ProductSample(rows: 1, pairs: 1, continues: true, order: variant.order)
    for k in 0..<2 {
      sample.setA(0, k, UInt16(Float(-0x1p-100).bitPattern >> 16))
      for column in 0..<16 { sample.setB(k, column, UInt16(Float(0x1p-100).bitPattern >> 16)) }
    }
    sample.setSums(Array(repeating: -0.0, count: 16))
    let expected: Float = variant.order == .chain ? -0.0 : 0
    let results = sample.bits(by: variant.kernel.compute).prefix(16)
    #expect(results.allSatisfy { $0 == expected.bitPattern })
  }

  @Test(arguments: available)
  func infinityAndNaNPropagate(variant: Variant) {
    // Infinities, NaN, the largest numbers, a subnormal number and zero.
    let special: [UInt16] = [0x7F80, 0xFF80, 0x7FC0, 0x7F81, 0x7F7F, 0xFF7F, 0x0001, 0x8000]
    var sample = ProductSample(rows: 24, pairs: 9, panels: 2, order: variant.order)
    for (i, bits) in special.enumerated() {
      sample.setA(3 * i, i, bits)
      sample.setA(3 * i + 1, 17 - i, bits)
      sample.setB(2 * i, 2 * i, bits)
      sample.setB(2 * i + 1, 2 * i + 17, bits)
    }
    // Which NaN it is depends on the processor.
    let results = [{ ExactProduct.compute(&$0) }, variant.kernel.compute].map { compute in
      sample.bits(by: compute).map { Float(bitPattern: $0).isNaN ? .max : $0 }
    }
    #expect(results[0].contains(.max) && results[0].contains(Float.infinity.bitPattern))
    #expect(results[0] == results[1])
  }

  /// Kernels flush subnormal numbers; the arithmetic around them must not.
  @Test(arguments: available)
  func kernelsKeepTheControlRegister(variant: Variant) {
    let bits = ProductSample(rows: 7, pairs: 3, order: variant.order)
      .bits(by: variant.kernel.compute)
    // Computed at run time: the compiler does not know the number of elements.
    #expect((Float.leastNormalMagnitude / Float(bits.count)).isSubnormal)
  }

  @Test
  func factorsWithDifferentOrdersOfSumsTrap() async {
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 3)
      let (a, b) = (storage[0..<1], storage[1..<2])
      storage[2..<3].multiply(
        a.rounded(for: .bfloat16).plain, b.rounded(for: .bfloat16AMX).plain)
    }
  }

  // MARK: - The self-test

  @Test(arguments: SumOrder.allCases)
  func everyKernelOfThisProcessorPasses(order: SumOrder) {
    #expect(ProductKernel.failed(order).isEmpty)
    let isOnlyKernel = ProductKernel.available(order) == [.scalar]
    #expect((ProductKernel.current(order) == .scalar) == isOnlyKernel)
  }

  /// AMX multiplies eight times as fast as vectors of floats.
  @Test(.enabled(if: ProductKernel.amx.isAvailable, "no AMX"))
  func amxIsTheFastestKernel() {
    #expect(ProductKernel.current(.blocks) == .amx)
  }

  @Test(arguments: SumOrder.allCases)
  func theFastestKernelIsSelected(order: SumOrder) {
    for fastest in ProductKernel.available(order).dropFirst() {
      let selection = ProductKernel.fastest(order) { kernel, block in
        kernel.compute(&block)
        // A product of the slowest kernel takes a twentieth of that.
        if kernel != fastest { Thread.sleep(forTimeInterval: 0.005) }
      }
      #expect(selection.kernel == fastest && selection.failed.isEmpty)
    }
  }

  @Test(arguments: SumOrder.allCases)
  func theSelfTestPassesExactArithmetic(order: SumOrder) {
    #expect(ProductKernel.passesSelfTest(order) { ExactProduct.compute(&$0) })
  }

  @Test(arguments: SumOrder.allCases)
  func theSelfTestDetectsEveryDeviation(order: SumOrder) {
    for deviation in ExactProduct.Deviation.possible(in: order) {
      let passes = ProductKernel.passesSelfTest(order) { ExactProduct.compute(&$0, deviation) }
      #expect(!passes, "\(deviation)")
    }
  }

  @Test(arguments: SumOrder.allCases)
  func aKernelThatFailsIsReportedAndNotSelected(order: SumOrder) {
    let selection = ProductKernel.fastest(order) { ExactProduct.compute(&$1, .flushesProducts) }
    #expect(selection.kernel == .scalar)
    #expect(selection.failed == Array(ProductKernel.available(order).dropFirst()))
  }
}
