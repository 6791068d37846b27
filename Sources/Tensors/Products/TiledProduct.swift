import COpenBLAS

// Single-precision matrix products C = A B for the shapes at which OpenBLAS is slow.
//
// Goals, in order: the bits of an element depend only on its row of A and its column of B, and not
// on the sizes of the matrices or on their addresses; speed; no assembly.
//
// The algorithm is that of Goto and van de Geijn 2008 ("Anatomy of high-performance matrix
// multiplication"), in the terms of BLIS (Van Zee and van de Geijn 2015): a micro-kernel computes
// MR x NR elements of C in registers while the sum over k runs. B is packed in panels of KC x NC,
// and A in blocks of MC x KC where many micro-panels of B read it. Packed matrices consist of
// micro-panels, NR columns of B or MR rows of A, which the micro-kernel reads from beginning to
// end.
//
// Order of summation: an element is a chain of fused multiply-adds over at most KC products; longer
// sums add the chains in order. Every element, also at the edges, goes through the same operations.
// KC therefore affects bits; MR, NR, MC and NC do not.
//
// GFLOP/s on one core of a Zen 3, compared with OpenBLAS 0.3.21: attention of 128 x 64 80-88
// against 65-75, 1024 x 64 x 256 (the small generator's) 89-95 against 72-81, 1024 x 256 x 1024 90
// against 86, the vocabulary's 72-80 against 66-70; but weight gradients, whose sums run over all
// tokens, 85 against 90. Hence `isFaster`.

/// Block sizes of tiled products, with BLIS's names, and the choice between them and OpenBLAS.
enum TiledProduct {
  /// MR: rows of C that the micro-kernel computes.
  static let mr = 6
  /// NR: columns of C that the micro-kernel computes; 6 x 16 floats fill 12 of 16 AVX registers.
  static let nr = 16
  /// KC: the longest chain of a sum.
  static let kc = 256
  /// MC: rows of A that are packed at a time; a multiple of MR.
  static let mc = 192
  /// NC: columns of B that are packed at a time; a multiple of NR.
  static let nc = 512

  /// Whether a tiled product of this shape is faster than OpenBLAS's.
  ///
  /// The answer must depend only on the shape and the processor type, because the two round
  /// differently.
  static func isFaster(inner: Int, columns: Int, isTransposed: Bool = false) -> Bool {
    isProcessorSuitable && (inner <= kc || (columns <= 64 && !isTransposed))
  }

  /// Whether OpenBLAS uses vectors of eight floats here, as this code does; with wider ones it is
  /// faster.
  private static let isProcessorSuitable = ["Haswell", "Zen"].contains(MatrixLibrary.coreName)
}

extension Tensor {
  /// Writes `scale * a * b` to this matrix or, with `adding`, adds it.
  ///
  /// All sizes are at least one, and the output overlaps neither factor. NaN and infinity propagate
  /// as in the textbook formula.
  package func multiplyInTiles(_ a: Factor, _ b: RightFactor, scale: Float, adding: Bool) {
    let (a, buffers) = (a.float32, PackedPanels.ofThisThread)
    // With few micro-panels of B, packing A costs more than reading it in place.
    let packsA =
      columns > 6 * TiledProduct.nr || (a.isTransposed && rows > TiledProduct.mc)
    for inner in blocks(a.columns, TiledProduct.kc) {
      for columnRange in blocks(columns, TiledProduct.nc) {
        let packedB = buffers.panels(b, inner: inner, columns: columnRange)
        for rowRange in blocks(rows, TiledProduct.mc) {
          let microPanels =
            packsA
            ? buffers.packA(a, rows: rowRange, inner: inner)
            : MicroPanels(a, rows: rowRange, inner: inner)
          rows(rowRange).columns(columnRange).macroKernel(
            microPanels, packedB, inner: inner.count, scale: scale,
            adding: adding || inner.lowerBound > 0)
        }
      }
    }
  }

  /// Computes a block of C (MC x NC) from packed B (KC x NC) and the micro-panels of A (MC x KC).
  ///
  /// The outer loop runs over micro-panels of B: one of them stays in the first-level cache while
  /// all micro-panels of A pass.
  private func macroKernel(
    _ microPanels: MicroPanels, _ packedB: UnsafeMutablePointer<Float>, inner: Int, scale: Float,
    adding: Bool
  ) {
    var panelOfB = packedB
    for column in Swift.stride(from: 0, to: columns, by: TiledProduct.nr) {
      let width = min(TiledProduct.nr, columns - column)
      var panelOfA = microPanels.base
      for row in Swift.stride(from: 0, to: rows, by: TiledProduct.mr) {
        let target = base + row * stride + column
        let height = min(TiledProduct.mr, rows - row)
        // Fetch the rows of C, each of which may lie on two cache lines, while the sum runs.
        for r in 0..<height {
          copenblas_prefetch(target + r * stride)
          copenblas_prefetch(target + r * stride + width - 1)
        }
        microKernel(panelOfA, microPanels, panelOfB, inner: inner, height: height) { r, sum in
          (target + r * stride).storeMicroTileRow(sum, width: width, scale: scale, adding: adding)
        }
        panelOfA += microPanels.panelStride
      }
      panelOfB += TiledProduct.nr * inner
    }
  }
}

/// The micro-kernel: sums an MR x NR tile of C over k and calls `body` with each of its `height`
/// rows.
///
/// Below MR rows, the missing ones are computed as copies of the last row and discarded, so that
/// edges need no other code. The six sums are separate variables because an array would not stay in
/// registers.
@inline(__always)
private func microKernel(
  _ panelOfA: UnsafeMutablePointer<Float>, _ microPanels: MicroPanels,
  _ panelOfB: UnsafeMutablePointer<Float>, inner: Int, height: Int,
  _ body: MicroRowBody
) {
  let last = height - 1
  let (r1, r2) = (min(1, last) * microPanels.rowStride, min(2, last) * microPanels.rowStride)
  let (r3, r4) = (min(3, last) * microPanels.rowStride, min(4, last) * microPanels.rowStride)
  let r5 = min(5, last) * microPanels.rowStride
  let zero = MicroRow(repeating: 0)
  var (s0, s1, s2, s3, s4, s5) = (zero, zero, zero, zero, zero, zero)
  var (a, b) = (panelOfA, panelOfB)
  for _ in 0..<inner {
    let row = b.microRow(at: 0)
    s0.addProduct(row, MicroRow(repeating: a[0]))
    s1.addProduct(row, MicroRow(repeating: a[r1]))
    s2.addProduct(row, MicroRow(repeating: a[r2]))
    s3.addProduct(row, MicroRow(repeating: a[r3]))
    s4.addProduct(row, MicroRow(repeating: a[r4]))
    s5.addProduct(row, MicroRow(repeating: a[r5]))
    a += microPanels.innerStride
    b += TiledProduct.nr
  }
  body(0, s0)
  if height > 1 { body(1, s1) }
  if height > 2 { body(2, s2) }
  if height > 3 { body(3, s3) }
  if height > 4 { body(4, s4) }
  if height > 5 { body(5, s5) }
}

/// A row of the micro-kernel's tile: NR floats.
typealias MicroRow = SIMD16<Float>

/// What happens to a row of the micro-kernel's tile, given its number in the tile and its sums.
private typealias MicroRowBody = (_ row: Int, _ sum: MicroRow) -> Void

/// 0..<`count` in consecutive ranges of at most `size`.
func blocks(_ count: Int, _ size: Int) -> some Sequence<Range<Int>> {
  Swift.stride(from: 0, to: count, by: size).lazy.map { $0..<min($0 + size, count) }
}

extension UnsafeMutablePointer where Pointee == Float {
  @inline(__always)
  func microRow(at index: Int) -> MicroRow {
    UnsafeRawPointer(self + index).loadUnaligned(as: MicroRow.self)
  }

  @inline(__always)
  func store(_ row: MicroRow, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: row, as: MicroRow.self)
  }

  /// Stores or adds the first `width` floats of a tile's row, with the same operations at any
  /// width.
  @inline(__always)
  fileprivate func storeMicroTileRow(_ sum: MicroRow, width: Int, scale: Float, adding: Bool) {
    if width == TiledProduct.nr {
      return store(
        adding ? microRow(at: 0).addingProduct(sum, MicroRow(repeating: scale)) : sum * scale,
        at: 0)
    }
    for lane in 0..<width {
      self[lane] = adding ? self[lane].addingProduct(sum[lane], scale) : sum[lane] * scale
    }
  }
}
