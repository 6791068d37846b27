import Tensors
import TestSupport
import Testing

/// Tiled products against the textbook in Double, on every processor.
struct TiledProductTests {
  /// A random factor (rows, columns) that starts `offset` floats after a cache line, with gaps
  /// between its rows.
  private static func factor(
    _ rows: Int, _ columns: Int, isTransposed: Bool, offset: Int, seed: Int
  ) -> (storage: Storage, tensor: Tensor, factor: Factor) {
    let (r, c) = isTransposed ? (columns, rows) : (rows, columns)
    let storage = Storage(count: offset + r * (c + 3))
    let tensor = Tensor(base: storage.base + offset, rows: r, columns: c, stride: c + 3)
    randomize(storage[0..<storage.count], scale: 1, seed: seed)
    return (storage, tensor, isTransposed ? tensor.transposed : tensor.plain)
  }

  /// The largest error of a product of this shape, with all combinations of transposing and adding.
  private static func worstError(m: Int, n: Int, k: Int, offset: Int) -> Double {
    var worst = 0.0
    for way in 0..<8 {
      let (transposesA, transposesB, adds) = (way & 1 > 0, way & 2 > 0, way & 4 > 0)
      let a = factor(m, k, isTransposed: transposesA, offset: offset, seed: 1)
      let b = factor(k, n, isTransposed: transposesB, offset: offset / 2, seed: 2)
      let c = factor(m, n, isTransposed: false, offset: 15 - offset, seed: 3)
      let gap = c.storage.base + 15 - offset + n
      let before = (0..<m * n).map { Double(c.tensor[$0 / n, $0 % n]) }
      let guarded = gap[0]
      c.tensor.multiplyInTiles(a.factor, .matrix(b.factor), scale: 0.5, adding: adds)
      for i in 0..<m {
        for j in 0..<n {
          let exact = (0..<k).reduce(0.0) { sum, t in
            let x = transposesA ? a.tensor[t, i] : a.tensor[i, t]
            let y = transposesB ? b.tensor[j, t] : b.tensor[t, j]
            return sum + Double(x) * Double(y)
          }
          let start = adds ? before[i * n + j] : 0
          worst = max(worst, abs(Double(c.tensor[i, j]) - start - 0.5 * exact))
        }
      }
      if gap[0] != guarded { worst = .infinity }
      withExtendedLifetime((a, b, c)) {}
    }
    return worst
  }

  @Test(arguments: 0..<16)
  func tilesMatchTheTextbookAtAllOffsets(offset: Int) {
    for m in [1, 5, 6, 7, 13] {
      for n in [1, 7, 8, 15, 16, 17, 33] {
        for k in [1, 7, 8, 9, 24] {
          #expect(Self.worstError(m: m, n: n, k: k, offset: offset) < 1e-5)
        }
      }
    }
  }

  @Test(arguments: 1...67)
  func tilesMatchTheTextbookAtAllLengths(length: Int) {
    #expect(Self.worstError(m: length, n: 19, k: 21, offset: 3) < 1e-5)
    #expect(Self.worstError(m: 10, n: length, k: 21, offset: 3) < 1e-5)
    #expect(Self.worstError(m: 10, n: 19, k: length, offset: 3) < 1e-5)
  }

  @Test
  func tilesMatchTheTextbookBeyondABlock() {
    #expect(Self.worstError(m: 199, n: 9, k: 259, offset: 1) < 1e-4)
    #expect(Self.worstError(m: 7, n: 523, k: 300, offset: 1) < 1e-4)
  }

  /// An element has the same bits in a product of any size, which OpenBLAS does not guarantee.
  @Test
  func bitsDoNotDependOnTheSizes() {
    let (m, n, k) = (70, 130, 50)
    let a = Self.factor(m, k, isTransposed: false, offset: 0, seed: 1)
    let b = Self.factor(k, n, isTransposed: false, offset: 0, seed: 2)
    let whole = Self.factor(m, n, isTransposed: false, offset: 0, seed: 3).storage
    let large = Tensor(base: whole.base, rows: m, columns: n)
    large.multiplyInTiles(a.factor, .matrix(b.factor), scale: 1, adding: false)
    let rest = Storage(count: m * n)
    for (rows, columns) in [(3..<4, 5..<6), (0..<13, 100..<130), (9..<70, 1..<98)] {
      let part = Tensor(base: rest.base, rows: rows.count, columns: columns.count)
      part.multiplyInTiles(
        a.tensor.rows(rows).plain, .matrix(b.tensor.columns(columns).plain), scale: 1,
        adding: false)
      for i in rows.indices {
        for j in columns.indices {
          #expect(large[i, j] == part[i - rows.lowerBound, j - columns.lowerBound])
        }
      }
    }
    withExtendedLifetime((a, b, whole, rest)) {}
  }
}
