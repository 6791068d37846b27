import Tensors
import TestSupport
import Testing

struct MatrixProductTests {
  @Test(arguments: [(1, 1, 1), (3, 5, 7), (17, 4, 33), (64, 31, 16)])
  func productsMatchTheTextbook(m: Int, n: Int, k: Int) {
    let storage = Storage(count: m * k + k * n + 2 * m * (n + 3))
    let a = Tensor(base: storage.base, rows: m, columns: k)
    let b = Tensor(base: storage.base + m * k, rows: k, columns: n)
    let wide = Tensor(base: storage.base + m * k + k * n, rows: m, columns: n + 3)
    randomize(a, scale: 1, seed: 1)
    randomize(b, scale: 1, seed: 2)
    let c = wide.columns(2..<n + 2)
    c.fill(1)
    c.multiply(a.plain, b.plain, scale: 0.5, adding: true)
    for i in 0..<m {
      for j in 0..<n {
        let exact = (0..<k).reduce(0.0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) }
        #expect(abs(Double(c[i, j]) - (1 + 0.5 * exact)) < 1e-5)
      }
      #expect(wide[i, 0] == 0 && wide[i, n + 2] == 0)
    }
  }

  @Test
  func transposedFactorsMatchPlainOnes() {
    let storage = Storage(count: 1000)
    let a = Tensor(base: storage.base, rows: 6, columns: 9)
    let turned = Tensor(base: storage.base + 100, rows: 9, columns: 6)
    let b = Tensor(base: storage.base + 200, rows: 9, columns: 4)
    randomize(a, scale: 1, seed: 1)
    randomize(b, scale: 1, seed: 2)
    for i in 0..<6 { for j in 0..<9 { turned[j, i] = a[i, j] } }
    let first = Tensor(base: storage.base + 300, rows: 6, columns: 4)
    let second = Tensor(base: storage.base + 400, rows: 6, columns: 4)
    first.multiply(a.plain, b.plain)
    second.multiply(turned.transposed, b.plain)
    for i in 0..<24 { #expect(abs(first.base[i] - second.base[i]) < 1e-6) }
  }
}
