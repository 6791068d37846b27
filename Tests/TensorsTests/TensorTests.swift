import Tensors
import Testing

/// Views show the right elements, and writing through them changes no others.
struct TensorTests {
  /// Five rows of seven elements, numbered.
  private func numbered() -> (storage: Storage, tensor: Tensor) {
    let storage = Storage(count: 35)
    for i in 0..<35 { storage.base[i] = Float(i) }
    return (storage, Tensor(base: storage.base, rows: 5, columns: 7))
  }

  @Test
  func windowsOfRowsAndColumnsCanBeNested() {
    let (storage, tensor) = numbered()
    let window = tensor.rows(1..<4).columns(2..<5)
    #expect((window.rows, window.columns, window.count) == (3, 3, 9))
    #expect((0..<3).map { window[$0, 0] } == [9, 16, 23])
    #expect(window.rows(2..<3).columns(1..<2)[0, 0] == 24)
    withExtendedLifetime(storage) {}
  }

  @Test
  func fillingAndCopyingStayInsideTheWindow() {
    let (storage, tensor) = numbered()
    let (other, source) = numbered()
    tensor.rows(1..<4).columns(2..<5).fill(-1)
    tensor.columns(6..<7).copy(from: source.columns(0..<1))
    for row in 0..<5 {
      for column in 0..<7 {
        let isFilled = (1..<4).contains(row) && (2..<5).contains(column)
        let expected = isFilled ? -1 : Float(7 * row + (column == 6 ? 0 : column))
        #expect(tensor[row, column] == expected)
      }
    }
    tensor.copy(from: source)
    #expect((0..<35).allSatisfy { storage.base[$0] == Float($0) })
    withExtendedLifetime(other) {}
  }

  @Test
  func aStorageBeginsAtZeroOnACacheLineAndIsClearedByRange() {
    let storage = Storage(count: 100)
    #expect(UInt(bitPattern: storage.base) % 64 == 0)
    #expect((0..<100).allSatisfy { storage.base[$0] == 0 })
    storage[0..<100].fill(1)
    storage.clear(10..<20)
    #expect((0..<100).allSatisfy { storage.base[$0] == ((10..<20).contains($0) ? 0 : 1) })
  }

  @Test
  func whatLiesOutsideIsRefused() async {
    await #expect(processExitsWith: .failure) { _ = Storage(count: 8)[4..<9] }
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 8)
      _ = Tensor(base: storage.base, rows: 2, columns: 4).rows(1..<3)
    }
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 8)
      _ = Tensor(base: storage.base, rows: 2, columns: 4).columns(0..<5)
    }
    await #expect(processExitsWith: .failure) {
      let storage = Storage(count: 8)
      Tensor(base: storage.base, rows: 2, columns: 4).copy(
        from: Tensor(base: storage.base, rows: 4, columns: 2))
    }
  }
}
