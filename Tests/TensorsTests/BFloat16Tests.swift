import Tensors
import TestSupport
import Testing

/// Rounding to bfloat16, and products of rounded matrices, against their definitions.
struct BFloat16Tests {
  /// The definition of rounding, one number at a time.
  private static func rounded(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    if x.isNaN { return UInt16(bits >> 16) | 0x40 }
    if x.isZero || x.isSubnormal { return UInt16(bits >> 16) & 0x8000 }
    let (upper, lower) = (UInt32(bits >> 16), bits & 0xFFFF)
    let up = lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1)
    return UInt16(upper + (up ? 1 : 0))
  }

  @Test
  func roundingFollowsItsDefinition() {
    let special: [UInt32] = [
      0, 0x8000_0000, 1, 0x8000_0001, 0x007F_FFFF, 0x0080_0000, 0x807F_8000, 0x7F7F_FFFF,
      0x7F7F_7FFF, 0x7F80_0000, 0xFF80_0000, 0x7F80_0001, 0xFFC0_1234, 0x3F80_8000, 0x3F81_8000,
      0x3F80_8001, 0x3F80_7FFF, 0xBF81_8000,
    ]
    let random = RandomStream(seed: 1, site: 2, step: 3, sequence: 4)
    let drawn = (0..<20_000).map { random.block(UInt32($0))[0] }
    let values = (special + drawn).map { Float(bitPattern: $0) }
    let storage = Storage(count: values.count)
    let row = storage[0..<values.count]
    row.base.update(from: values, count: values.count)
    let rounded = row.rounded(for: .bfloat16)
    for (i, x) in values.enumerated() {
      let expected = UInt32(Self.rounded(x)) << 16
      #expect(rounded[0, i].bitPattern == expected, "\(x) \(x.bitPattern)")
    }
  }

  /// A random rounded matrix (rows, columns) at an offset, with a gap between its rows, and its
  /// values.
  private struct Matrix {
    let storage: Storage
    let tensor: BFloat16Tensor

    init(
      _ rows: Int, _ columns: Int, offset: Int = 0, gap: Int = 0, seed: Int,
      order: SumOrder = .chain
    ) {
      storage = Storage(count: (offset + rows * (columns + gap)) / 2 + 1)
      tensor = BFloat16Tensor(
        base: UnsafeMutableRawPointer(storage.base) + 2 * offset, rows: rows, columns: columns,
        stride: columns + gap, order: order)
      let values = Storage(count: rows * columns)
      randomize(values[0..<values.count], scale: 1, seed: seed)
      Operand.bfloat16(tensor).copy(
        from: Tensor(base: values.base, rows: rows, columns: columns))
    }

    func factor(isTransposed: Bool) -> Factor {
      isTransposed ? Operand.bfloat16(tensor).transposed : Operand.bfloat16(tensor).plain
    }
  }

  /// The chain of the definition, over factors that are not near the limits of float32.
  private static func chain(_ inner: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
    var sum: Float = 0
    for k in stride(from: 0, to: inner, by: 2) {
      if k + 1 < inner { sum.addProduct(a(k + 1), b(k + 1)) }
      sum.addProduct(a(k), b(k))
    }
    return sum
  }

  /// The blocks of the definition, over factors that are not near the limits of float32.
  private static func blocks(_ inner: Int, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
    var sum: Float = 0
    for first in stride(from: 0, to: inner, by: 32) {
      var (even, odd): (Float, Float) = (0, 0)
      for k in first..<min(first + 32, inner) {
        if k % 2 == 0 { even.addProduct(a(k), b(k)) } else { odd.addProduct(a(k), b(k)) }
      }
      sum += even + odd
    }
    return sum
  }

  /// Whether a product of this shape has exactly the bits of the definition, for all ways to pass
  /// its factors.
  private static func isExact(m: Int, n: Int, k: Int, offset: Int, _ order: SumOrder) -> Bool {
    for way in 0..<8 {
      let (transposesA, transposesB, adds) = (way & 1 > 0, way & 2 > 0, way & 4 > 0)
      let a = Matrix(
        transposesA ? k : m, transposesA ? m : k, offset: offset, gap: offset % 4, seed: 1,
        order: order)
      let b = Matrix(
        transposesB ? n : k, transposesB ? k : n, offset: 15 - offset, gap: offset % 3, seed: 2,
        order: order)
      let storage = Storage(count: m * n)
      let c = Tensor(base: storage.base, rows: m, columns: n)
      randomize(storage[0..<m * n], scale: 1, seed: 3)
      let before = Storage(count: m * n)
      before[0..<m * n].copy(from: storage[0..<m * n])
      c.multiply(
        a.factor(isTransposed: transposesA), b.factor(isTransposed: transposesB), scale: 0.75,
        adding: adds)
      for i in 0..<m {
        for j in 0..<n {
          let sum = (order == .chain ? chain : blocks)(
            k, { transposesA ? a.tensor[$0, i] : a.tensor[i, $0] },
            { transposesB ? b.tensor[j, $0] : b.tensor[$0, j] })
          let expected =
            adds ? before.base[i * n + j].addingProduct(sum, 0.75) : sum * 0.75
          if c[i, j] != expected { return false }
        }
      }
      withExtendedLifetime((a, b, storage, before)) {}
    }
    return true
  }

  @Test(arguments: 1...70, SumOrder.allCases)
  func productsFollowTheirDefinitionAtAllLengths(length: Int, order: SumOrder) {
    let offset = length % 16
    #expect(Self.isExact(m: length, n: 19, k: 21, offset: offset, order))
    #expect(Self.isExact(m: 10, n: length, k: 22, offset: offset, order))
    #expect(Self.isExact(m: 10, n: 19, k: length, offset: offset, order))
  }

  @Test(arguments: SumOrder.allCases)
  func productsFollowTheirDefinitionBeyondABlock(order: SumOrder) {
    #expect(Self.isExact(m: 101, n: 9, k: 1030, offset: 1, order))
    #expect(Self.isExact(m: 7, n: 523, k: 33, offset: 2, order))
  }

  /// The products 2^24, 1, -2^24 and 0: the chain loses the 1, which is the blocks' sum of odd k.
  @Test
  func theOrdersOfSumsGiveOtherBits() {
    let sums = [Arithmetic.bfloat16, .bfloat16AMX].map { arithmetic in
      let storage = Storage(count: 9)
      for (i, x) in [0x1p24, 1, -0x1p24, 0, 1, 1, 1, 1].enumerated() { storage.base[i] = Float(x) }
      let row = Tensor(base: storage.base, rows: 1, columns: 4).rounded(for: arithmetic)
      let column = Tensor(base: storage.base + 4, rows: 1, columns: 4).rounded(for: arithmetic)
      let result = Tensor(base: storage.base + 8, rows: 1, columns: 1)
      result.multiply(row.plain, column.transposed)
      return withExtendedLifetime(storage) { result[0, 0] }
    }
    #expect(sums == [0, 1])
  }

  /// Packed weights, in both orientations and all arithmetics, give the bits of unpacked ones, and
  /// follow a change of the weights.
  @Test(arguments: Arithmetic.allCases, [(33, 70), (48, 16), (7, 19), (64, 300), (520, 40)])
  func packedWeightsGiveTheSameBits(arithmetic: Arithmetic, shape: (rows: Int, columns: Int)) {
    let (rows, columns) = shape
    let weights = Storage(count: rows * columns)
    let matrix = Tensor(base: weights.base, rows: rows, columns: columns)
    for isTransposed in [false, true] {
      let packed = PackedMatrix(matrix, isTransposed: isTransposed, arithmetic: arithmetic)
      let inputs = Storage(count: 50 * packed.rows)
      randomize(inputs[0..<inputs.count], scale: 1, seed: 4)
      let input = Tensor(base: inputs.base, rows: 50, columns: packed.rows)
        .rounded(for: arithmetic)
      for version in 0..<2 {
        randomize(weights[0..<weights.count], scale: 1, seed: 5 + version)
        packed.pack(version: version)
        let copy = Storage(count: rows * columns)
        copy[0..<copy.count].copy(from: weights[0..<copy.count])
        let plain = Tensor(base: copy.base, rows: rows, columns: columns)
          .rounded(for: arithmetic)
        let results = (0..<2).map { _ in Storage(count: 50 * packed.columns) }
        let outputs = results.map {
          Tensor(base: $0.base, rows: 50, columns: packed.columns)
        }
        outputs[0].multiply(input.plain, .packed(packed))
        outputs[1].multiply(input.plain, isTransposed ? plain.transposed : plain.plain)
        for i in 0..<results[0].count { #expect(results[0].base[i] == results[1].base[i]) }
        withExtendedLifetime((copy, results)) {}
      }
      withExtendedLifetime(inputs) {}
    }
    withExtendedLifetime(weights) {}
  }

  @Test
  func anOperandIsRoundedOnceAfterScaleAndBias() {
    let (a, b) = (Matrix(5, 8, seed: 1), Matrix(8, 11, seed: 2))
    let (bias, sums) = (Storage(count: 11), Storage(count: 55))
    randomize(bias[0..<11], scale: 1, seed: 3)
    let floats = Tensor(base: sums.base, rows: 5, columns: 11)
    floats.multiply(a.factor(isTransposed: false), b.factor(isTransposed: false))
    let result = Matrix(5, 11, seed: 4)
    Operand.bfloat16(result.tensor).multiply(
      a.factor(isTransposed: false), .matrix(b.factor(isTransposed: false)), scale: 0.3,
      bias: bias[0..<11])
    for i in 0..<5 {
      for j in 0..<11 {
        let exact = floats[i, j] * 0.3 + bias.base[j]
        #expect(result.tensor[i, j].bitPattern >> 16 == UInt32(Self.rounded(exact)))
      }
    }
    withExtendedLifetime((a, b, sums, result)) {}
  }

  /// Sums that go to GELU from the caches, and those that are written first.
  @Test(arguments: [(5, 11, 8), (70, 530, 9), (24, 512, 64)])
  func geluOfAProductHasTheBitsOfASweep(shape: (m: Int, n: Int, k: Int)) {
    let (m, n, k) = shape
    let (a, b) = (Matrix(m, k, seed: 1), Matrix(k, n, seed: 2))
    let (left, right) = (a.factor(isTransposed: false), b.factor(isTransposed: false))
    let storage = Storage(count: 4 * m * n + 3 * n)
    func floats(_ number: Int) -> Tensor {
      Tensor(base: storage.base + number * m * n, rows: m, columns: n)
    }
    func row(_ number: Int) -> Tensor {
      Tensor(base: storage.base + 4 * m * n + number * n, rows: 1, columns: n)
    }
    let bias = row(0)
    randomize(bias, scale: 1, seed: 3)
    let (fused, swept) = (Matrix(m, n, seed: 4), Matrix(m, n, seed: 5))

    floats(0).multiplyGELU(left, .matrix(right), bias: bias, into: .bfloat16(fused.tensor))
    floats(1).multiply(left, right)
    floats(1).gelu(bias: bias, into: .bfloat16(swept.tensor))
    #expect(bits(.bfloat16(fused.tensor)) == bits(.bfloat16(swept.tensor)))
    #expect(bits(.float32(floats(0))) == bits(.float32(floats(1))))

    floats(1).multiplyGELU(left, .matrix(right), bias: bias, into: .float32(floats(2)))
    floats(1).multiply(left, right)
    floats(1).gelu(bias: bias, into: .float32(floats(3)))
    #expect(bits(.float32(floats(2))) == bits(.float32(floats(3))))

    randomize(row(1), scale: 1, seed: 6)
    row(2).copy(from: row(1))
    Operand.bfloat16(fused.tensor).multiplyGELUBackward(
      left, .matrix(right), derivative: floats(0), biasGradient: row(1))
    floats(2).multiply(left, right)
    floats(2).geluBackward(
      derivative: floats(0), biasGradient: row(2), into: .bfloat16(swept.tensor))
    #expect(bits(.bfloat16(fused.tensor)) == bits(.bfloat16(swept.tensor)))
    #expect(bits(.float32(row(1))) == bits(.float32(row(2))))
    withExtendedLifetime((a, b, storage, fused, swept)) {}
  }

  @Test
  func aProductOverNothingIsItsBias() {
    let (a, b, result) = (Matrix(5, 0, seed: 1), Matrix(0, 11, seed: 2), Matrix(5, 11, seed: 3))
    let bias = Storage(count: 11)
    randomize(bias[0..<11], scale: 1, seed: 4)
    Operand.bfloat16(result.tensor).multiply(
      a.factor(isTransposed: false), .matrix(b.factor(isTransposed: false)), bias: bias[0..<11])
    for i in 0..<5 {
      for j in 0..<11 {
        #expect(result.tensor[i, j].bitPattern >> 16 == UInt32(Self.rounded(bias.base[j])))
      }
    }
    withExtendedLifetime((a, b, result, bias)) {}
  }

  /// Bits are copied, also those that rounding would change.
  @Test
  func dropoutKeepsBits() {
    let width = 13
    // Subnormal numbers and signalling NaNs.
    let source = (0..<2 * width).map { [0x0001, 0x7F81, 0x807F, 0xFFBF][$0 % 4] as UInt16 }
    var (from, to) = (source, [UInt16](repeating: 0xABCD, count: 2 * width + 3))
    let dropout = DropoutStream(
      RandomStream(seed: 1, site: 4, step: 2, sequence: 3), rate: 0.5)
    from.withUnsafeMutableBytes { from in
      to.withUnsafeMutableBytes { to in
        guard let from = from.baseAddress, let to = to.baseAddress else { return }
        Operand.bfloat16(BFloat16Tensor(base: from, rows: 2, columns: width, order: .chain)).keep(
          dropout, firstRow: 0,
          into: .bfloat16(BFloat16Tensor(base: to, rows: 2, columns: width, order: .chain)))
      }
    }
    let kept = zip(source, to).count { $0 == $1 }
    #expect(zip(source, to).allSatisfy { $0 == $1 || $1 == 0 })
    #expect(kept > 5 && kept < 21)
    #expect(to.suffix(3).allSatisfy { $0 == 0xABCD })
  }

  private func bits(_ operand: Operand) -> [UInt32] {
    (0..<operand.rows).flatMap { r in
      (0..<operand.columns).map { operand[r, $0].bitPattern }
    }
  }

  /// Kernels write operands into the memory that they read.
  @Test
  func aTensorIsRoundedInItsOwnMemory() {
    let storage = Storage(count: 7 * 21)
    randomize(storage[0..<storage.count], scale: 1, seed: 9)
    let tensor = Tensor(base: storage.base, rows: 7, columns: 21)
    let before = (0..<7 * 21).map { storage.base[$0] }
    let operand = tensor.rounded(for: .bfloat16)
    for i in 0..<7 * 21 {
      #expect(operand[i / 21, i % 21].bitPattern >> 16 == UInt32(Self.rounded(before[i])))
    }
    withExtendedLifetime(storage) {}
  }
}
