#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
  init(_ a: Factor, rows: Range<Int>, inner: Range<Int>) {
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

extension Factor {
  /// The address of element (row, column) of the factor.
  func pointer(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    isTransposed ? tensor.row(column) + row : tensor.row(row) + column
  }
}

/// The buffers of a thread for the packed panel of B (KC x NC) and the packed block of A (MC x KC).
///
/// They are allocated at the thread's first product and freed when the thread ends.
final class PackedPanels {
  /// Micro-panels of B, KC x NR each: element (k, j) of a micro-panel is at `NR * k + j`.
  let packedB: UnsafeMutablePointer<Float>
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

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { memory in
      if let memory { Unmanaged<PackedPanels>.fromOpaque(memory).release() }
    }
    precondition(status == 0, "no key for thread-specific data is left")
    return key
  }()

  /// The buffers of the calling thread.
  static var ofThisThread: PackedPanels {
    if let memory = pthread_getspecific(key) {
      return Unmanaged<PackedPanels>.fromOpaque(memory).takeUnretainedValue()
    }
    let memory = PackedPanels()
    pthread_setspecific(key, Unmanaged.passRetained(memory).toOpaque())
    return memory
  }

  /// Packs rows `inner` and columns `columns` of `b` into micro-panels of NR = 16 columns.
  ///
  /// Columns that are missing from the last micro-panel become zeros.
  func packB(_ b: Factor, inner: Range<Int>, columns: Range<Int>) {
    var panel = packedB
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: 16) {
      let source = b.pointer(inner.lowerBound, column)
      let width = min(16, columns.upperBound - column)
      if b.isTransposed {
        for half in 0..<2 {
          packTransposed(
            source + 8 * half * b.tensor.stride, stride: b.tensor.stride,
            width: max(0, min(8, width - 8 * half)), inner: inner.count, into: panel + 8 * half)
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
  func packA(_ a: Factor, rows: Range<Int>, inner: Range<Int>) -> MicroPanels {
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
  private func packRows(
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

  /// Packs eight columns of a micro-panel of B whose columns are contiguous in memory, 8 x 8 at a
  /// time.
  private func packTransposed(
    _ source: UnsafeMutablePointer<Float>, stride: Int, width: Int, inner: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    let whole = width == 8 ? inner / 8 * 8 : 0
    for k in Swift.stride(from: 0, to: whole, by: 8) {
      transpose8x8(source + k, stride: stride, into: panel + 16 * k)
    }
    for k in whole..<inner {
      for lane in 0..<8 { panel[16 * k + lane] = lane < width ? source[lane * stride + k] : 0 }
    }
  }

  /// Transposes eight rows of eight floats, `stride` apart, into rows of the micro-panel, 16 apart.
  ///
  /// Three rounds of shuffles: neighbouring elements are interleaved, then pairs, then halves. Each
  /// compiles to one instruction per vector (unpack, shuffle, permute).
  @inline(__always)
  private func transpose8x8(
    _ source: UnsafeMutablePointer<Float>, stride: Int, into panel: UnsafeMutablePointer<Float>
  ) {
    @inline(__always)
    func row(_ index: Int) -> Vector { source.vector(at: index * stride) }
    @inline(__always)
    func low(_ a: Vector, _ b: Vector) -> Vector {
      Vector(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5])
    }
    @inline(__always)
    func high(_ a: Vector, _ b: Vector) -> Vector {
      Vector(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
    }
    @inline(__always)
    func pairs(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
      (
        Vector(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]),
        Vector(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
      )
    }
    @inline(__always)
    func four(_ first: Int) -> (Vector, Vector, Vector, Vector) {
      let (a, b, c, d) = (row(first), row(first + 1), row(first + 2), row(first + 3))
      let (zero, one) = pairs(low(a, b), low(c, d))
      let (two, three) = pairs(high(a, b), high(c, d))
      return (zero, one, two, three)
    }
    let (upper, lower) = (four(0), four(4))
    @inline(__always)
    func store(_ a: Vector, _ b: Vector, _ k: Int) {
      panel.store(Vector(lowHalf: a.lowHalf, highHalf: b.lowHalf), at: 16 * k)
      panel.store(Vector(lowHalf: a.highHalf, highHalf: b.highHalf), at: 16 * (k + 4))
    }
    store(upper.0, lower.0, 0)
    store(upper.1, lower.1, 1)
    store(upper.2, lower.2, 2)
    store(upper.3, lower.3, 3)
  }
}
