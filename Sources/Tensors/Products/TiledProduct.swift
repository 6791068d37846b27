import COpenBLAS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// Matrix products of our own, for the shapes at which OpenBLAS is slow.
//
// Goals, in order: the bits of an element depend on its row of a, its column of b and nothing else, so
// neither on the sizes of the matrices nor on where they lie; speed; no assembly.
//
// The output is made in tiles of 6 rows and 16 columns that stay in registers while the sum runs (Goto
// and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). 16 columns of b are
// packed into a panel that lies end to end; 6 rows of a are a strip, packed where many panels read it.
// A sum is a chain of fused multiply-adds over at most `sumBlock` terms; longer sums are chains added in
// order.
//
// On one core of a Zen 3, GFLOP/s beside OpenBLAS 0.3.21: attention of 128 x 64 80-88 against 65-75,
// 1024 x 64 x 256 (the small generator's) 89-95 against 72-81, 1024 x 256 x 1024 90 against 86, the
// vocabulary's 72-80 against 66-70; but gradients of weights, whose sums run over all tokens, 85 against
// 90. Hence `isFaster`.

/// Where and how a product in tiles is made.
enum TiledProduct {
  static let tileRows = 6
  static let tileColumns = 16
  /// The longest chain of a sum.
  static let sumBlock = 256
  /// Rows of a that are packed at a time; a multiple of a tile's.
  static let rowBlock = 192
  /// Columns of b that are packed at a time; a multiple of a tile's.
  static let columnBlock = 512

  /// Whether a product of this shape is faster in tiles. It depends on the shape and the processor's
  /// type alone, as bits must.
  static func isFaster(_ a: Factor, columns: Int) -> Bool {
    isProcessorSuited && (a.columns <= sumBlock || (columns <= 64 && !a.isTransposed))
  }

  /// Whether OpenBLAS uses vectors of eight floats here, as the tiles do; with wider ones it is ahead.
  private static let isProcessorSuited = ["Haswell", "Zen"].contains(
    String(cString: cblas_shim_core_name()))
}

extension Tensor {
  /// Writes `scale * a * b`, or adds it when `adding`; none of the sizes is zero.
  package func multiplyInTiles(_ a: Factor, _ b: Factor, scale: Float, adding: Bool) {
    let memory = PackedPanels.ofThisThread
    let isPacked =
      columns > 6 * TiledProduct.tileColumns || (a.isTransposed && rows > TiledProduct.rowBlock)
    for terms in blocks(a.columns, TiledProduct.sumBlock) {
      for across in blocks(columns, TiledProduct.columnBlock) {
        memory.packPanels(b, terms, across)
        for down in blocks(rows, TiledProduct.rowBlock) {
          let microPanels = isPacked ? memory.packStrips(a, down, terms) : Strips(a, down, terms)
          rows(down).columns(across).fillTiles(
            microPanels, memory.panels, terms: terms.count, scale: scale,
            adding: adding || terms.lowerBound > 0)
        }
      }
    }
  }

  /// All tiles of a block: panel by panel, which stays in the first cache, strip by strip.
  private func fillTiles(
    _ microPanels: Strips, _ panels: UnsafeMutablePointer<Float>, terms: Int, scale: Float,
    adding: Bool
  ) {
    var panel = panels
    for column in Swift.stride(from: 0, to: columns, by: TiledProduct.tileColumns) {
      let width = min(TiledProduct.tileColumns, columns - column)
      var microPanel = microPanels.base
      for row in Swift.stride(from: 0, to: rows, by: TiledProduct.tileRows) {
        let target = base + row * stride + column
        let height = min(TiledProduct.tileRows, rows - row)
        for r in 0..<height {
          cblas_shim_prefetch(target + r * stride)
          cblas_shim_prefetch(target + r * stride + width - 1)
        }
        tile(microPanel, microPanels, panel, terms: terms, height: height) { r, sum in
          (target + r * stride).storeTile(sum, width: width, scale: scale, adding: adding)
        }
        microPanel += microPanels.step
      }
      panel += TiledProduct.tileColumns * terms
    }
  }
}

/// Sums of one tile; rows that are not there repeat the last one, and are not told.
@inline(__always)
private func tile(
  _ microPanel: UnsafeMutablePointer<Float>, _ microPanels: Strips,
  _ panel: UnsafeMutablePointer<Float>,
  terms: Int, height: Int, _ body: (_ row: Int, _ sum: TileRow) -> Void
) {
  let last = height - 1
  let (r1, r2) = (min(1, last) * microPanels.rowStride, min(2, last) * microPanels.rowStride)
  let (r3, r4) = (min(3, last) * microPanels.rowStride, min(4, last) * microPanels.rowStride)
  let r5 = min(5, last) * microPanels.rowStride
  let zero = TileRow(repeating: 0)
  var (s0, s1, s2, s3, s4, s5) = (zero, zero, zero, zero, zero, zero)
  var (a, b) = (microPanel, panel)
  for _ in 0..<terms {
    let row = b.tileRow(at: 0)
    s0.addProduct(row, TileRow(repeating: a[0]))
    s1.addProduct(row, TileRow(repeating: a[r1]))
    s2.addProduct(row, TileRow(repeating: a[r2]))
    s3.addProduct(row, TileRow(repeating: a[r3]))
    s4.addProduct(row, TileRow(repeating: a[r4]))
    s5.addProduct(row, TileRow(repeating: a[r5]))
    a += microPanels.termStride
    b += TiledProduct.tileColumns
  }
  body(0, s0)
  if height > 1 { body(1, s1) }
  if height > 2 { body(2, s2) }
  if height > 3 { body(3, s3) }
  if height > 4 { body(4, s4) }
  if height > 5 { body(5, s5) }
}

/// A row of a tile.
typealias TileRow = SIMD16<Float>

/// `range` from 0 in pieces of at most `size`.
private func blocks(_ count: Int, _ size: Int) -> [Range<Int>] {
  Swift.stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}

extension UnsafeMutablePointer where Pointee == Float {
  @inline(__always)
  func tileRow(at index: Int) -> TileRow {
    UnsafeRawPointer(self + index).loadUnaligned(as: TileRow.self)
  }

  @inline(__always)
  func store(_ row: TileRow, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: row, as: TileRow.self)
  }

  /// Stores or adds the first `width` of a tile's row, all with the same operations.
  @inline(__always)
  fileprivate func storeTile(_ sum: TileRow, width: Int, scale: Float, adding: Bool) {
    if width == TiledProduct.tileColumns {
      return store(
        adding ? tileRow(at: 0).addingProduct(sum, TileRow(repeating: scale)) : sum * scale, at: 0)
    }
    for lane in 0..<width {
      self[lane] = adding ? self[lane].addingProduct(sum[lane], scale) : sum[lane] * scale
    }
  }
}
