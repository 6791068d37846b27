/// The micro-panels of A that the micro-kernel reads: MR rows each, packed or in place.
///
/// Element (r, k) of a micro-panel is at `base + r * rowStride + k * innerStride`; the next
/// micro-panel is `panelStride` floats further.
struct MicroPanels {
  let base: UnsafeMutablePointer<Float>
  let rowStride: Int
  let innerStride: Int
  let panelStride: Int

  /// The block of `a` in place, without packing.
  init(_ a: Float32Factor, rows: Range<Int>, inner: Range<Int>) {
    base = a.pointer(rows.lowerBound, inner.lowerBound)
    (rowStride, innerStride) = a.isTransposed ? (1, a.tensor.stride) : (a.tensor.stride, 1)
    panelStride = TiledProduct.mr * rowStride
  }

  init(
    base: UnsafeMutablePointer<Float>, rowStride: Int, innerStride: Int, panelStride: Int
  ) {
    (self.base, self.rowStride) = (base, rowStride)
    (self.innerStride, self.panelStride) = (innerStride, panelStride)
  }
}

/// The buffers of a thread for the packed panel of B (KC x NC) and the packed block of A (MC x KC).
///
/// They are allocated at the thread's first product and freed when the thread ends.
final class PackedPanels {
  /// Micro-panels of B, KC x NR each: element (k, j) of a micro-panel is at `NR * k + j`.
  private let packedB: UnsafeMutablePointer<Float>
  /// Micro-panels of A, MR x KC each.
  private let packedA: UnsafeMutablePointer<Float>
  private let storage: Storage

  /// Floats after a micro-panel of A that packing may overwrite.
  private static let slack = 16

  private init() {
    let sizeOfB = TiledProduct.nc * TiledProduct.kc
    let microPanelCount = TiledProduct.mc / TiledProduct.mr
    let microPanelSize = TiledProduct.mr * TiledProduct.kc + Self.slack
    storage = Storage(count: sizeOfB + microPanelCount * microPanelSize)
    packedB = storage.base
    packedA = storage.base + sizeOfB
  }

  private static let thread = ThreadLocal { PackedPanels() }

  /// The buffers of the calling thread.
  static var ofThisThread: PackedPanels { thread.value }

  /// The micro-panels of rows `inner`, a block of KC, and of columns `columns`, a block of NC.
  ///
  /// Those of a matrix are packed into the buffer of B, whose contents they replace.
  func panels(
    _ b: RightFactor, inner: Range<Int>, columns: Range<Int>
  ) -> UnsafeMutablePointer<Float> {
    switch b {
    case .packed(let matrix): return matrix.floatPanels(inner: inner, columns: columns)
    case .matrix(let factor):
      Self.pack(factor.float32, inner: inner, columns: columns, into: packedB)
      return packedB
    }
  }

  /// Packs rows `inner` and columns `columns` of `b` into micro-panels of NR = 16 columns.
  ///
  /// Columns that are missing from the last micro-panel become zeros.
  static func pack(
    _ b: Float32Factor, inner: Range<Int>, columns: Range<Int>,
    into panels: UnsafeMutablePointer<Float>
  ) {
    var panel = panels
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: 16) {
      let source = b.pointer(inner.lowerBound, column)
      let width = min(16, columns.upperBound - column)
      if b.isTransposed {
        for half in 0..<2 {
          transposeWords(
            source + 8 * half * b.tensor.stride, byteStride: 4 * b.tensor.stride,
            width: max(0, min(8, width - 8 * half)), count: inner.count, into: panel + 8 * half,
            panelWidth: 16)
        }
      } else {
        packRows(source, stride: b.tensor.stride, width: width, inner: inner.count, into: panel)
      }
      panel += 16 * inner.count
    }
  }

  /// Packs rows `rows` and columns `inner` of `a` into micro-panels of MR = 6 rows.
  ///
  /// A micro-panel has six rows end to end or, if `a` is transposed, six elements of each column
  /// end to end. So memory is read in its order in both cases.
  func packA(_ a: Float32Factor, rows: Range<Int>, inner: Range<Int>) -> MicroPanels {
    let source = a.pointer(rows.lowerBound, inner.lowerBound)
    let (stride, count) = (a.tensor.stride, inner.count)
    let panelStride = 6 * count + Self.slack
    guard a.isTransposed else {
      for r in 0..<rows.count {
        (packedA + r / 6 * panelStride + r % 6 * count).update(
          from: source + r * stride, count: count)
      }
      return MicroPanels(
        base: packedA, rowStride: count, innerStride: 1, panelStride: panelStride)
    }
    for k in 0..<count {
      var (from, to) = (source + k * stride, packedA + 6 * k)
      var left = rows.count
      // One vector copies eight floats, two too many. The next k overwrites them; those of the last
      // k go to the slack.
      while left >= 8 {
        to.store(from.vector(at: 0), at: 0)
        (from, to, left) = (from + 6, to + panelStride, left - 6)
      }
      while left > 0 {
        for lane in 0..<min(6, left) { to[lane] = from[lane] }
        (from, to, left) = (from + 6, to + panelStride, left - 6)
      }
    }
    return MicroPanels(base: packedA, rowStride: 1, innerStride: 6, panelStride: panelStride)
  }

  /// Packs one micro-panel of B whose rows are contiguous in memory.
  private static func packRows(
    _ source: UnsafeMutablePointer<Float>, stride: Int, width: Int, inner: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    for k in 0..<inner {
      let (row, target) = (source + k * stride, panel + 16 * k)
      if width == 16 {
        target.store(row.microRow(at: 0), at: 0)
      } else {
        for lane in 0..<16 { target[lane] = lane < width ? row[lane] : 0 }
      }
    }
  }
}
