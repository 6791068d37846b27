import CKernels

/// A product of two rounded matrices.
///
/// The sums of a block of C are computed by a kernel of `CKernels` and then handed, while they are in
/// the first caches, to a closure that does with them what the layer wants: scale, add a bias,
/// round, store.
///
/// Every sum is one chain over all of K, so block sizes do not affect bits.
struct RoundedProduct {
  let rows: Int
  let columns: Int
  private let left: BFloat16Factor
  private let right: RightFactor

  /// Rows of C in a block; a multiple of the kernels' tile.
  private static let rowBlock = 48
  /// Columns of C in a block; a multiple of the kernels' micro-panel.
  private static let columnBlock = 512
  /// Pairs of K in a block, whose rows and micro-panels fit the first caches.
  private static let pairBlock = 256

  /// Traps if a factor is float32 or the shapes do not match.
  init(_ a: Factor, _ b: RightFactor) {
    precondition(a.columns == b.rows, "\(a.columns) columns times \(b.rows) rows")
    (left, right) = (a.bfloat16, b)
    (rows, columns) = (a.rows, b.columns)
  }

  /// Computes all sums and calls `finish` with each vector of them, or a tail, in the order of rows
  /// within a block.
  @inline(__always)
  func compute(_ finish: (_ row: Int, _ column: Int, _ tail: Int?, _ sums: Vector) -> Void) {
    let start = Profile.begin()
    defer { Profile.end(activity, start, operations: 2 * Double(rows * columns * left.columns)) }
    let buffers = RoundedBuffers.ofThisThread
    for columnRange in blocks(columns, Self.columnBlock) {
      let panels = panels(columnRange, buffers)
      for rowRange in blocks(rows, Self.rowBlock) {
        computeBlock(rowRange, columnRange, panels, buffers)
        for r in rowRange {
          let line = buffers.sums + 16 * (r - rowRange.lowerBound)
          forEachVector(columnRange.count) { i, tail in
            // Sixteen columns of all rows of the block lie together.
            let sums = line.vector(at: i / 16 * 16 * Self.rowBlock + i % 16)
            finish(r, columnRange.lowerBound + i, tail, sums)
          }
        }
      }
    }
  }

  /// The micro-panels of the columns of a block, packed if they are not.
  private func panels(_ columns: Range<Int>, _ buffers: RoundedBuffers) -> RightPanels {
    switch right {
    case .packed(let matrix): return matrix.roundedPanels(columns: columns)
    case .matrix(let factor):
      let padded = PackedMatrix.padded(columns.count)
      return factor.bfloat16.packRight(
        columns: columns,
        into: buffers.right(elements: 2 * padded * BFloat16Factor.pairs(factor.rows)))
    }
  }

  /// Writes the sums of a block of C to the buffers.
  @inline(never)
  private func computeBlock(
    _ rows: Range<Int>, _ columns: Range<Int>, _ panels: RightPanels, _ buffers: RoundedBuffers
  ) {
    let (kernel, pairs) = (ProductKernel.current, BFloat16Factor.pairs(left.columns))
    let a = left.left(
      rows: rows, packedInto: buffers.left(elements: 2 * Self.rowBlock * pairs))
    var block = ckernels_block()
    (block.a_row, block.a_pair, block.a_tile) = (a.rowStride, a.pairStride, a.tileStride)
    block.b_panel = panels.stride
    (block.sums, block.sums_panel) = (buffers.sums, 16 * Self.rowBlock)
    block.scratch = buffers.scratch
    (block.rows, block.panels) = (Int32(rows.count), Int32((columns.count + 15) / 16))
    for range in pairs > 0 ? blocks(pairs, Self.pairBlock) : [0..<0] {
      block.a = UnsafePointer(
        (a.base + 2 * range.lowerBound * a.pairStride).assumingMemoryBound(to: UInt16.self))
      block.b = UnsafePointer(
        (panels.base + 64 * range.lowerBound).assumingMemoryBound(to: UInt16.self))
      block.pairs = Int32(range.count)
      block.continues = range.lowerBound > 0 ? 1 : 0
      kernel.compute(&block)
    }
  }

  private var activity: Activity {
    let isWhole = left.tensor.isWhole && right.isWhole
    return isWhole
      ? .product(rows: rows, columns: columns, inner: left.columns) : .attentionProducts
  }

  /// The buffers of a thread, which grow with the products that it computes.
  fileprivate final class RoundedBuffers {
    /// The sums of a block: 16 columns of all its rows, then the next 16.
    let sums: UnsafeMutablePointer<Float>
    /// Scratch of the kernels.
    let scratch: UnsafeMutablePointer<Float>
    private let fixed: Storage
    private var packedLeft = Storage(count: 0)
    private var packedRight = Storage(count: 0)

    private init() {
      let sumCount = RoundedProduct.rowBlock * RoundedProduct.columnBlock
      fixed = Storage(
        count: sumCount + ckernels_scratch_floats(Int32(RoundedProduct.pairBlock)))
      (sums, scratch) = (fixed.base, fixed.base + sumCount)
    }

    private static let thread = ThreadLocal { RoundedBuffers() }

    static var ofThisThread: RoundedBuffers { thread.value }

    /// Memory for `elements` packed elements of a left factor.
    func left(elements: Int) -> UnsafeMutableRawPointer {
      Self.grow(&packedLeft, elements)
    }

    /// Memory for `elements` packed elements of a right factor.
    func right(elements: Int) -> UnsafeMutableRawPointer {
      Self.grow(&packedRight, elements)
    }

    private static func grow(_ storage: inout Storage, _ elements: Int) -> UnsafeMutableRawPointer {
      if 2 * storage.count < elements { storage = Storage(count: (elements + 1) / 2) }
      return UnsafeMutableRawPointer(storage.base)
    }
  }
}
