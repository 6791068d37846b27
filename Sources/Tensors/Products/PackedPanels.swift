#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Six rows of a factor after six, as tiles read them: element (r, t) of a strip stands at
/// `base + r * rowStride + t * termStride`, the next strip `step` floats further.
struct Strips {
  let base: UnsafeMutablePointer<Float>
  let rowStride: Int
  let termStride: Int
  let step: Int

  /// The rows `down` and terms `terms` of `a` where they lie.
  init(_ a: Factor, _ down: Range<Int>, _ terms: Range<Int>) {
    base = a.pointer(down.lowerBound, terms.lowerBound)
    (rowStride, termStride) = a.isTransposed ? (1, a.tensor.stride) : (a.tensor.stride, 1)
    step = TiledProduct.tileRows * rowStride
  }

  init(base: UnsafeMutablePointer<Float>, rowStride: Int, termStride: Int, step: Int) {
    (self.base, self.rowStride, self.termStride, self.step) = (base, rowStride, termStride, step)
  }
}

extension Factor {
  /// Where element (row, column) lies.
  func pointer(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    isTransposed ? tensor.row(column) + row : tensor.row(row) + column
  }
}

/// What a thread packs factors of tiled products into: made at its first product, given back when the
/// thread ends.
final class PackedPanels {
  /// Panels of 16 columns, term by term.
  let panels: UnsafeMutablePointer<Float>
  private let microPanels: UnsafeMutablePointer<Float>
  private let storage: Storage

  /// A strip's floats behind its end that packing may write.
  private static let slack = 16

  private init() {
    let panelCount = TiledProduct.columnBlock * TiledProduct.sumBlock
    let stripCount = TiledProduct.rowBlock / TiledProduct.tileRows
    let stripSize = TiledProduct.tileRows * TiledProduct.sumBlock + Self.slack
    storage = Storage(count: panelCount + stripCount * stripSize)
    panels = storage.base
    microPanels = storage.base + panelCount
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { memory in
      if let memory { Unmanaged<PackedPanels>.fromOpaque(memory).release() }
    }
    precondition(status == 0, "no room for a thread's memory")
    return key
  }()

  static var ofThisThread: PackedPanels {
    if let memory = pthread_getspecific(key) {
      return Unmanaged<PackedPanels>.fromOpaque(memory).takeUnretainedValue()
    }
    let memory = PackedPanels()
    pthread_setspecific(key, Unmanaged.passRetained(memory).toOpaque())
    return memory
  }

  /// Packs terms `terms` of columns `across` of `b`; columns that are missing from the last panel are
  /// zeros.
  func packPanels(_ b: Factor, _ terms: Range<Int>, _ across: Range<Int>) {
    var panel = panels
    for column in stride(from: across.lowerBound, to: across.upperBound, by: 16) {
      let source = b.pointer(terms.lowerBound, column)
      let width = min(16, across.upperBound - column)
      if b.isTransposed {
        for half in 0..<2 {
          packTransposed(
            source + 8 * half * b.tensor.stride, stride: b.tensor.stride,
            width: max(0, min(8, width - 8 * half)), terms: terms.count, into: panel + 8 * half)
        }
      } else {
        packRows(source, stride: b.tensor.stride, width: width, terms: terms.count, into: panel)
      }
      panel += 16 * terms.count
    }
  }

  /// Packs rows `down` of terms `terms` of `a`: rows one after the other, or where `a` is transposed
  /// six of a column at a time.
  func packStrips(_ a: Factor, _ down: Range<Int>, _ terms: Range<Int>) -> Strips {
    let source = a.pointer(down.lowerBound, terms.lowerBound)
    let (stride, count) = (a.tensor.stride, terms.count)
    let step = 6 * count + Self.slack
    guard a.isTransposed else {
      for r in 0..<down.count {
        (microPanels + r / 6 * step + r % 6 * count).update(from: source + r * stride, count: count)
      }
      return Strips(base: microPanels, rowStride: count, termStride: 1, step: step)
    }
    for t in 0..<count {
      var (from, to) = (source + t * stride, microPanels + 6 * t)
      var left = down.count
      while left >= 8 {  // the last two of eight are written again by the next term
        to.store(from.vector(at: 0), at: 0)
        (from, to, left) = (from + 6, to + step, left - 6)
      }
      while left > 0 {
        for lane in 0..<min(6, left) { to[lane] = from[lane] }
        (from, to, left) = (from + 6, to + step, left - 6)
      }
    }
    return Strips(base: microPanels, rowStride: 1, termStride: 6, step: step)
  }

  private func packRows(
    _ source: UnsafeMutablePointer<Float>, stride: Int, width: Int, terms: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    for t in 0..<terms {
      let (row, target) = (source + t * stride, panel + 16 * t)
      if width == 16 {
        target.store(row.tileRow(at: 0), at: 0)
      } else {
        for lane in 0..<16 { target[lane] = lane < width ? row[lane] : 0 }
      }
    }
  }

  /// Half a panel of columns that lie as rows: 8 x 8 at a time.
  private func packTransposed(
    _ source: UnsafeMutablePointer<Float>, stride: Int, width: Int, terms: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    let whole = width == 8 ? terms / 8 * 8 : 0
    for t in Swift.stride(from: 0, to: whole, by: 8) {
      transpose8x8(source + t, stride: stride, into: panel + 16 * t)
    }
    for t in whole..<terms {
      for lane in 0..<8 { panel[16 * t + lane] = lane < width ? source[lane * stride + t] : 0 }
    }
  }

  /// Eight rows of eight, `stride` apart, become eight columns, 16 apart: neighbours are interleaved,
  /// then pairs, then halves.
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
    func store(_ a: Vector, _ b: Vector, _ term: Int) {
      panel.store(Vector(lowHalf: a.lowHalf, highHalf: b.lowHalf), at: 16 * term)
      panel.store(Vector(lowHalf: a.highHalf, highHalf: b.highHalf), at: 16 * (term + 4))
    }
    store(upper.0, lower.0, 0)
    store(upper.1, lower.1, 1)
    store(upper.2, lower.2, 2)
    store(upper.3, lower.3, 3)
  }
}
