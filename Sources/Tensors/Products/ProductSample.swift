import CKernels

/// A product of a tile whose bits reveal deviations from the arithmetic of `CKernels.h`.
///
/// Rows of A, columns of B and initial sums are of different kinds: some sums underflow, some
/// cancel exactly, and most depend on the order of the products. All values are finite, and the
/// same for the same arguments.
package struct ProductSample: Sendable {
  package let rows: Int
  package let pairs: Int
  package let panels: Int
  /// Whether products are added to `sums`; otherwise these must not matter.
  package let continues: Bool
  /// The index of the first element of each array, which shifts all addresses.
  package let offset: Int
  /// The order of the sums.
  package let order: SumOrder
  package private(set) var a: [UInt16] = []
  package private(set) var b: [UInt16] = []
  /// The sums, and `offset` elements before and 16 behind them, which a kernel must not change.
  package private(set) var sums: [Float] = []

  /// `rows` is at most 24.
  package init(
    rows: Int, pairs: Int, panels: Int = 1, continues: Bool = false, offset: Int = 0,
    order: SumOrder = .chain
  ) {
    (self.rows, self.pairs, self.panels) = (rows, pairs, panels)
    (self.continues, self.offset, self.order) = (continues, offset, order)
    // Rows that are missing in the tile must not matter, so they are NaN.
    a = Array(repeating: Self.quietNaN, count: offset + 48 * pairs)
    b = Array(repeating: 0, count: offset + panels * 32 * pairs)
    sums = Array(repeating: .pi, count: offset + panels * ckernels_tile_floats + 16)
    draw()
  }

  private static let quietNaN: UInt16 = 0x7FC0

  /// The index of element `k` of a row in `a`.
  private func indexOfA(_ row: Int, _ k: Int) -> Int { offset + k / 2 * 48 + 2 * row + k % 2 }

  /// The index of element `k` of a column in `b`; columns count through all micro-panels.
  private func indexOfB(_ k: Int, _ column: Int) -> Int {
    offset + column / 16 * 32 * pairs + k / 2 * 32 + column % 16 * 2 + k % 2
  }

  /// The row of the tile that an index of `sums` belongs to; nil for sums that are in no tile.
  private func rowOfSum(_ index: Int) -> Int? {
    let element = index - offset
    return 0..<panels * ckernels_tile_floats ~= element ? element / 16 % 24 : nil
  }

  /// Replaces element `k` of a row of A by the bits of a bfloat16 number.
  package mutating func setA(_ row: Int, _ k: Int, _ bits: UInt16) { a[indexOfA(row, k)] = bits }

  /// Replaces element `k` of a column of B by the bits of a bfloat16 number.
  package mutating func setB(_ k: Int, _ column: Int, _ bits: UInt16) {
    b[indexOfB(k, column)] = bits
  }

  /// Replaces the first sums.
  package mutating func setSums(_ values: [Float]) {
    sums.replaceSubrange(offset..<offset + values.count, with: values)
  }

  /// The bits of `sums` after `compute` has computed the block, without those of missing rows.
  package func bits(by compute: (inout ckernels_block) -> Void) -> [UInt32] {
    var sums = sums
    var scratch = [Float](repeating: 0, count: ckernels_scratch_floats(Int32(pairs)))
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        sums.withUnsafeMutableBufferPointer { sums in
          scratch.withUnsafeMutableBufferPointer { scratch in
            var block = ckernels_block()
            block.a = a.baseAddress.map { $0 + offset }
            block.b = b.baseAddress.map { $0 + offset }
            block.b_panel = 32 * pairs
            block.sums = sums.baseAddress.map { $0 + offset }
            block.scratch = scratch.baseAddress
            (block.rows, block.panels, block.pairs) = (Int32(rows), Int32(panels), Int32(pairs))
            block.continues = continues ? 1 : 0
            block.in_blocks = order == .blocks ? 1 : 0
            compute(&block)
          }
        }
      }
    }
    return sums.indices.filter { (rowOfSum($0) ?? 0) < rows }.map { sums[$0].bitPattern }
  }
}

extension ProductSample {
  /// Kinds of rows and columns, by the exponents of their elements.
  private enum Kind {
    /// 2^-7 to 2^7.
    case ordinary
    /// -3 to 3, whose products cancel exactly.
    case integers
    /// 2^-27 to 2^22, an eighth of them subnormal.
    case mixed
    /// Up to 2^-111, and subnormal: with ordinary numbers, products underflow or nearly do.
    case tiny
    /// Zeros, and at the end of the chain a number of 2^-126 to 2^-125.
    case last
    /// 2^-27 to 2^-23: products with `last` are about as large as half of the last bit of 2^-126.
    case small

    static let rows: [Kind] = [.ordinary, .tiny, .integers, .mixed, .last]
    static let columns: [Kind] = [.ordinary, .integers, .mixed, .small]
  }

  private mutating func draw() {
    var random = SplitMix(seed: UInt64(rows), stream: UInt64(pairs))
    for k in 0..<2 * pairs {
      for row in 0..<rows {
        let kind = Kind.rows[row % Kind.rows.count]
        setA(row, k, kind == .last && k != 2 * pairs - 2 ? 0 : Self.number(kind, &random))
      }
      for column in 0..<16 * panels {
        setB(k, column, Self.number(Kind.columns[column % Kind.columns.count], &random))
      }
    }
    if order == .blocks, pairs > 1 { prepareLast(&random) }
    for index in sums.indices where rowOfSum(index).map({ $0 < rows }) == true {
      let kind = Kind.rows[(index - offset) / 16 % 24 % Kind.rows.count]
      sums[index] = Self.initialSum(kind, &random)
    }
  }

  /// Gives the chains of rows `last` and columns `small` 2^-126 before the last product, as the
  /// first sums do where a chain goes on from them.
  private mutating func prepareLast(_ random: inout SplitMix) {
    let k = 2 * pairs - 4
    for row in 0..<rows where Kind.rows[row % Kind.rows.count] == .last {
      let sign: Float = random.chance(0.5) ? 1 : -1
      setA(row, k, UInt16((sign * 0x1p-100).bitPattern >> 16))
    }
    for column in 0..<16 * panels where Kind.columns[column % Kind.columns.count] == .small {
      setB(k, column, UInt16(Float(0x1p-26).bitPattern >> 16))
    }
  }

  /// The bits of a bfloat16 number.
  private static func number(_ kind: Kind, _ random: inout SplitMix) -> UInt16 {
    let exponents: Range<Int>
    switch kind {
    case .integers: return UInt16(Float(random.number(below: 7) - 3).bitPattern >> 16)
    case .ordinary: exponents = 120..<135
    case .mixed: exponents = random.chance(0.125) ? 0..<1 : 100..<150
    case .tiny: exponents = 0..<16
    case .last: exponents = 1..<2
    case .small: exponents = 100..<104
    }
    let exponent = exponents.lowerBound + random.number(below: exponents.count)
    return UInt16(random.number(below: 2) << 15 | exponent << 7 | random.number(below: 128))
  }

  private static func initialSum(_ kind: Kind, _ random: inout SplitMix) -> Float {
    let sign: Float = random.chance(0.5) ? 1 : -1
    switch kind {
    case .tiny: return sign * [0.5, 1, 3][random.number(below: 3)] * .leastNormalMagnitude
    case .last: return sign * .leastNormalMagnitude
    case .ordinary, .integers, .mixed, .small:
      return sign * Float(random.number(below: 1 << 24)) * 0x1p-23
    }
  }
}
