import CKernels

/// A product of two rounded matrices.
///
/// The sums of a tile of C are computed by a kernel of `CKernels` and then handed, while they are
/// in the caches, to a closure that does with them what the layer wants: scale, add a bias, round,
/// store.
///
/// Sums go on from one block of K to the next as if there were none, so block sizes do not affect
/// bits.
struct RoundedProduct {
  let rows: Int
  let columns: Int
  private let left: BFloat16Factor
  private let right: RightFactor

  /// Columns of a tile of C; a multiple of the kernels' micro-panel.
  ///
  /// The micro-panels of as many columns take K kB: up to K = 512 they stay in a second cache of
  /// 1 MB while all tiles of the left factor pass.
  private static let columnBlock = 512
  /// Pairs of K in a block, a multiple of those of `SumOrder.blocks`: 24 kB of a tile, which is
  /// read again for each micro-panel of 16 kB.
  private static let pairBlock = 256

  /// Traps if a factor is float32, or if the shapes or the orders of sums do not match.
  init(_ a: Factor, _ b: RightFactor) {
    precondition(a.columns == b.rows, "\(a.columns) columns times \(b.rows) rows")
    (left, right) = (a.bfloat16, b)
    precondition(left.tensor.order == b.order, "factors of different arithmetics")
    (rows, columns) = (a.rows, b.columns)
  }

  /// Computes all sums and calls `finish` with each vector of them, or a tail, in the order of rows
  /// within a tile.
  @inline(__always)
  func compute(_ finish: (_ row: Int, _ column: Int, _ tail: Int?, _ sums: Vector) -> Void) {
    let start = Profile.begin()
    defer { Profile.end(activity, start, operations: 2 * Double(rows * columns * left.columns)) }
    let buffers = RoundedBuffers.ofThisThread
    for columnRange in blocks(columns, Self.columnBlock) {
      let panels = panels(columnRange, buffers)
      for tileRows in blocks(rows, ckernels_tile_rows) {
        let tile = packLeft(tileRows, buffers)
        computeSums(tile, rows: tileRows.count, panels, columns: columnRange.count, buffers)
        for r in tileRows {
          let line = buffers.sums + ckernels_panel_columns * (r - tileRows.lowerBound)
          forEachVector(columnRange.count) { i, tail in
            // Sixteen columns of all rows of the tile lie together.
            let sums = line.vector(at: i / 16 * ckernels_tile_floats + i % 16)
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

  /// A tile of the left factor, packed.
  @inline(never)
  private func packLeft(_ rows: Range<Int>, _ buffers: RoundedBuffers) -> UnsafeMutableRawPointer {
    let elements = 2 * ckernels_tile_rows * BFloat16Factor.pairs(left.columns)
    let tile = buffers.left(elements: elements)
    left.packLeft(rows: rows, into: tile)
    return tile
  }

  /// Writes the products of a tile of the left factor with micro-panels to the buffer of sums.
  @inline(never)
  private func computeSums(
    _ tile: UnsafeMutableRawPointer, rows: Int, _ panels: RightPanels, columns: Int,
    _ buffers: RoundedBuffers
  ) {
    let width = ckernels_panel_columns
    let (order, pairs) = (left.tensor.order, BFloat16Factor.pairs(left.columns))
    let kernel = ProductKernel.current(order)
    var block = ckernels_block()
    block.in_blocks = order == .blocks ? 1 : 0
    (block.sums, block.scratch) = (buffers.sums, buffers.scratch)
    (block.rows, block.panels) = (Int32(rows), Int32((columns + width - 1) / width))
    block.b_panel = panels.stride
    var pair = 0
    // With K = 0 the kernel is called once and writes zeros.
    repeat {
      let count = min(pairs - pair, Self.pairBlock)
      block.a = UnsafePointer(
        (tile + 4 * ckernels_tile_rows * pair).assumingMemoryBound(to: UInt16.self))
      block.b = UnsafePointer(
        (panels.base + 4 * width * pair).assumingMemoryBound(to: UInt16.self))
      block.pairs = Int32(count)
      block.continues = pair > 0 ? 1 : 0
      kernel.compute(&block)
      pair += count
    } while pair < pairs
  }

  private var activity: Activity {
    let isWhole = left.tensor.isWhole && right.isWhole
    return isWhole
      ? .product(rows: rows, columns: columns, inner: left.columns) : .attentionProducts
  }

  /// The buffers of a thread, which grow with the products that it computes.
  fileprivate final class RoundedBuffers {
    /// The sums of a tile: 16 columns of all its rows, then the next 16.
    let sums: UnsafeMutablePointer<Float>
    /// Scratch of the kernels.
    let scratch: UnsafeMutablePointer<Float>
    private let fixed: Storage
    private var packedLeft = Storage(count: 0)
    private var packedRight = Storage(count: 0)

    private init() {
      let sumCount = ckernels_tile_rows * RoundedProduct.columnBlock
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
