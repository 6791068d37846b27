import Tensors
import Testing

/// Other tests may run kernels at the same time, so only products of this shape are checked.
@Suite(.serialized)
struct ProfileTests {
  private let shape = Activity.product(rows: 13, columns: 19, inner: 17)

  private func multiply() {
    let storage = Storage(count: 13 * 17 + 17 * 19 + 13 * 19)
    let a = Tensor(base: storage.base, rows: 13, columns: 17)
    let b = Tensor(base: storage.base + a.count, rows: 17, columns: 19)
    Tensor(base: b.base + b.count, rows: 13, columns: 19).multiply(a.plain, b.plain)
  }

  @Test
  func productsAreCountedWithTheirOperationsWhileItIsOn() throws {
    multiply()
    Profile.turnOn()
    for _ in 0..<3 { multiply() }
    let entry = try #require(Profile.turnOff()[shape])
    #expect(entry.calls == 3 && entry.operations == 3 * 2 * 13 * 17 * 19)
    #expect(entry.seconds > 0 && entry.seconds < 10)
    multiply()
    Profile.turnOn()
    #expect(Profile.turnOff()[shape] == nil, "what was counted before is forgotten")
  }

  /// With two heads, the window of a head is half of the columns.
  @Test
  func roundedProductsOfWindowsAreThoseOfAttention() {
    let storage = Storage(count: 13 * 17 + 17 * 19 + 13 * 19)
    let a = Tensor(base: storage.base, rows: 13, columns: 17)
    let b = BFloat16Tensor(
      base: UnsafeMutableRawPointer(a.base + a.count), rows: 17, columns: 2 * 19,
      order: .chain)
    let c = Tensor(base: a.base + a.count + 17 * 19, rows: 13, columns: 19)
    Profile.turnOn()
    c.multiply(
      a.rounded(for: .bfloat16).plain, Operand.bfloat16(b).columns(19..<38).plain)
    #expect(Profile.turnOff()[shape] == nil)
    withExtendedLifetime(storage) {}
  }
}
